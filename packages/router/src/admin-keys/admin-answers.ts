/**
 * Keys that the router answers itself, as mcrouter does: `get __mcrouter__.version`.
 *
 * ```
 *   version  hostid  config  config_file  config_age  config_md5_digest  config_sources_info
 *   preprocessed_config  options  options(name)  commands
 *   stats  stats(topic)            the rows of `stats`, `stats servers` …, one per line
 *   route(operation,key)           the servers that such a request would go to, one per line
 *   route_handles                  the tree of route handles
 *   route_handles(operation,key)   the handles that such a request would pass
 * ```
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { operationOf, Request, type RouteHandle, type Routing, reachable, traverse } from '@larder/routing';
import type { AdminKeys } from '../general/general-path.ts';
import type { StatisticsSource } from '../session/operator.ts';
import { settingRows } from '../statistics/general-rows.ts';
import type { WorkerInput } from '../workers/messages.ts';

const PREFIX = '__mcrouter__.';
const COMMANDS: readonly string[] = [
  'commands',
  'config',
  'config_age',
  'config_file',
  'config_md5_digest',
  'config_sources_info',
  'hostid',
  'options',
  'options(name)',
  'preprocessed_config',
  'route(operation,key)',
  'route_handles',
  'route_handles(operation,key)',
  'stats',
  'stats(topic)',
  'version',
];

export class AdminAnswers implements AdminKeys {
  readonly #routing: Routing;
  readonly #input: WorkerInput;
  readonly #statistics: StatisticsSource;

  constructor(routing: Routing, input: WorkerInput, statistics: StatisticsSource) {
    this.#routing = routing;
    this.#input = input;
    this.#statistics = statistics;
  }

  answer(key: string): string | undefined {
    if (!key.startsWith(PREFIX)) return undefined;
    const match = /^([a-z_0-9]+)(?:\((.*)\))?$/.exec(key.slice(PREFIX.length));
    if (match === null) return `ERROR: unknown command; ${PREFIX}commands lists them`;
    const [, name = '', argument] = match;
    switch (name) {
      case 'version':
        return `Larder ${this.#input.version}`;
      case 'hostid':
        return hostId();
      case 'commands':
        return COMMANDS.map((command) => PREFIX + command).join('\r\n');
      case 'options':
        return this.#options(argument);
      case 'stats':
        return this.#stats(argument ?? '');
      case 'route':
        return this.#withRequest(argument, (request) => this.#route(request));
      case 'route_handles':
        if (argument === undefined) return tree(this.#routing.root);
        return this.#withRequest(argument, (request) => this.#passed(request));
      default:
        return this.#config(name);
    }
  }

  #config(name: string): string {
    const { text, loadedAt, source, lastError } = this.#routing.configuration;
    const digest = (): string => createHash('md5').update(text).digest('hex');
    switch (name) {
      case 'config':
      case 'preprocessed_config':
        return text;
      case 'config_file':
        return source;
      case 'config_age':
        return String(Math.max(0, Math.floor((Date.now() - loadedAt) / 1000)));
      case 'config_md5_digest':
        return digest();
      case 'config_sources_info':
        return JSON.stringify({
          source,
          md5: digest(),
          loaded_at: new Date(loadedAt).toISOString(),
          ...(lastError === undefined ? {} : { last_error: lastError.message }),
        });
      default:
        return `ERROR: unknown command; ${PREFIX}commands lists them`;
    }
  }

  #stats(topic: string): string {
    const rows = this.#statistics.rows(topic);
    if (rows === undefined) return `ERROR: there are no stats ${topic}`;
    return [...rows].map(([name, value]) => `${name} ${value}`).join('\r\n');
  }

  #options(name: string | undefined): string {
    const rows = settingRows(this.#input.settings);
    if (name === undefined) return rows.map(([key, value]) => `${key} ${value}`).join('\r\n');
    const row = rows.find(([key]) => key === name);
    return row === undefined ? `ERROR: there is no option ${name}` : String(row[1]);
  }

  /** `get,key`: an operation by its name on the wire, and the key it would have. */
  #withRequest(argument: string | undefined, answer: (request: Request) => string): string {
    const comma = argument?.indexOf(',') ?? -1;
    const operation = operationOf((argument ?? '').slice(0, Math.max(0, comma)).trim());
    if (argument === undefined || comma < 0 || operation === undefined) {
      return 'ERROR: expected an operation and a key, such as (get,user:1)';
    }
    return answer(Request.of(operation, argument.slice(comma + 1).trim()));
  }

  #route(request: Request): string {
    return [...reachable(this.#routing.root, request)].map(({ label }) => label).join('\r\n');
  }

  #passed(request: Request): string {
    return traverse(this.#routing.root, request)
      .map(({ handle, depth }) => `${' '.repeat(depth)}${handle.name}`)
      .join('\r\n');
  }
}

function tree(root: RouteHandle): string {
  const lines: string[] = [];
  const visit = (handle: RouteHandle, depth: number): void => {
    lines.push(`${' '.repeat(depth)}${handle.name}`);
    for (const child of handle.children) visit(child, depth + 1);
  };
  visit(root, 0);
  return lines.join('\r\n');
}

/** A number that stands for this machine. */
function hostId(): string {
  return String(createHash('md5').update(hostname()).digest().readUInt32BE(0));
}
