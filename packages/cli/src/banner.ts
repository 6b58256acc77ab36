/** What `larder up` says when it is ready. */
import picocolors from 'picocolors';
import type { Cluster } from './up/cluster.ts';
import { larderVersion } from './version.ts';

/** Only for people: what continuous integration or a file gets stays plain, whatever else the environment says. */
const colors = picocolors.createColors(process.stdout.isTTY === true && process.env.NO_COLOR === undefined);

/** Where `larder up` is looked for first. */
const DEFAULT_PORT = 11211;

const TRANSPORT_NAMES: Readonly<Record<string, string>> = {
  uring: 'io_uring',
  epoll: 'epoll',
  node: 'Node.js sockets (portable)',
};

export interface BannerOptions {
  /** The port that was wished for. */
  readonly requestedPort: number;
}

export function banner(cluster: Cluster, options: BannerOptions): string {
  const row = (name: string, text: string) => `  ${colors.dim(name.padEnd(10))} ${text}\n`;
  const { router, servers } = cluster;
  const main = router.addresses.find((address) => address.kind === 'tcp');
  const admin = router.addresses.find((address) => address.kind === 'admin');
  let text = `\n${colors.bold('Larder')} ${larderVersion()}: cache servers that speak memcache, and a router in front of them\n\n`;
  if (main !== undefined && main.port !== options.requestedPort) {
    text += `  ${colors.yellow(`Port ${options.requestedPort} is taken; using ${main.port}, the next free one.`)}\n\n`;
  }
  text += row('address', `${main?.text ?? ''}  (the router)`);
  for (const server of servers) text += row(server.name, server.address);
  text += row('transport', TRANSPORT_NAMES[router.transport] ?? router.transport);
  if (admin !== undefined) text += row('admin', `http://${admin.text}/  (/metrics, /healthz, /stats.json)`);
  for (const note of router.notes) text += row('note', note);
  if (main !== undefined) text += example(main.host, main.port);
  const { port } = router;
  const which = port === DEFAULT_PORT ? '' : ` -p ${port}`;
  text += `\nSee a server die, in another terminal:\n\n  larder up --kill cache-1${which}\n`;
  return `${text}\nCtrl-C stops it.\n`;
}

function example(host: string, port: number): string {
  const commands = 'set greeting 0 60 5\\r\\nhello\\r\\nget greeting\\r\\nquit\\r\\n';
  return (
    '\nTry it:\n\n' +
    `  printf '${commands}' | nc ${host} ${port}\n\n` +
    'or, without nc:\n\n' +
    `  node -e "require('net').connect(${port},'${host}',function(){this.write('${commands}')}).pipe(process.stdout)"\n`
  );
}
