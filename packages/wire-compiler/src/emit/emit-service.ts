/**
 * A service: a typed client over a channel, the interface that a server implements, and the table by which
 * requests find their method. Streaming methods have no counterpart in Larder's RPC and are left out, which
 * the generated code says.
 */
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { CompilerError } from '../errors.ts';
import { placeOf } from '../model/source-places.ts';
import { type Code, quoted } from './code.ts';
import { docLines } from './comments.ts';
import type { TypeReferences } from './field-model.ts';
import { camelCase } from './member-names.ts';
import type { ServiceNames } from './type-names.ts';

const RPC = '@larder/wire/rpc';
/** What classes have already; and a client with a method `then` would be taken for a promise by `await`. */
const TAKEN = ['constructor', '__proto__', 'then'];

interface MethodModel {
  readonly desc: DescMethod;
  readonly name: string;
  readonly type: number;
}

export function emitService(code: Code, desc: DescService, names: ServiceNames, types: TypeReferences): void {
  const methods = methodModels(desc);
  const skipped = desc.methods.filter((method) => method.methodKind !== 'unary').map((method) => method.name);
  const note = skipped.length === 0 ? [] : [`Without ${skipped.join(', ')}: streams are not supported.`];
  emitTypes(code, desc, names, methods);
  emitClient(code, desc, names, methods, types, note);
  emitServer(code, desc, names, methods, types, note);
  emitTable(code, desc, names, methods, types);
}

function methodModels(desc: DescService): MethodModel[] {
  const taken = new Set(TAKEN);
  const types = new Map<number, string>();
  const models: MethodModel[] = [];
  for (const method of desc.methods) {
    if (method.methodKind !== 'unary') continue;
    let name = camelCase(method.name.slice(0, 1).toLowerCase() + method.name.slice(1));
    while (taken.has(name)) name += '$';
    taken.add(name);
    const type = methodType(`${desc.typeName}/${method.name}`);
    const other = types.get(type);
    if (other !== undefined) {
      const path = [
        6,
        desc.file.proto.service.indexOf(desc.proto),
        2,
        desc.proto.method.indexOf(method.proto),
      ];
      throw new CompilerError(
        'DUPLICATE',
        `method ${method.name} has the request type of ${other}, by bad luck: rename one of them`,
        placeOf(desc.file.proto, path),
      );
    }
    types.set(type, method.name);
    models.push({ desc: method, name, type });
  }
  return models;
}

/**
 * The number that stands for a method on the wire: FNV-1a of its full name, so that it stays what it is when
 * methods are added or moved. 0 is kept for errors.
 */
function methodType(fullName: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(fullName)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0 || 1;
}

function hexType(type: number): string {
  return `0x${type.toString(16).padStart(8, '0')}`;
}

/** The numbers by name, for servers that dispatch by themselves. */
function emitTypes(
  code: Code,
  desc: DescService,
  names: ServiceNames,
  methods: readonly MethodModel[],
): void {
  code.line();
  code.line(`/** The numbers that stand for the methods of ${desc.typeName} on the wire. */`);
  code.block(
    [code.export('const', names.types), ' ='],
    () => {
      for (const { name, type } of methods) code.line(`${name}: ${hexType(type)},`);
    },
    '} as const;',
  );
}

function emitClient(
  code: Code,
  desc: DescService,
  names: ServiceNames,
  methods: readonly MethodModel[],
  types: TypeReferences,
  note: readonly string[],
): void {
  code.line();
  code.raw(docLines(desc, code.indent, [`service ${desc.typeName}, for clients.`, ...note]));
  code.block([code.export('class', names.client)], () => {
    const channel = code.import('RpcChannel', RPC, true);
    if (methods.length === 0) {
      code.line('constructor(_channel: ', channel, ') {}');
      return;
    }
    code.line('readonly #channel: ', channel, ';');
    code.line();
    code.block(['constructor(channel: ', channel, ')'], () => code.line('this.#channel = channel;'));
    for (const { desc: method, name } of methods) {
      const builder = types.builder(method.input);
      const reply = types.view(method.output);
      code.line();
      code.raw(docLines(method, code.indent));
      const parameter = ['request: ', builder, ' | ', types.init(method.input)];
      code.block([`${name}(`, ...parameter, '): Promise<', reply, '>'], () => {
        code.line(
          'const object = request instanceof ',
          builder,
          ' ? request : ',
          builder,
          '.from(request, this.#channel.encoder);',
        );
        code.line(`return this.#channel.call(${names.types}.${name}, object, `, reply, ');');
      });
    }
  });
}

function emitServer(
  code: Code,
  desc: DescService,
  names: ServiceNames,
  methods: readonly MethodModel[],
  types: TypeReferences,
  note: readonly string[],
): void {
  code.line();
  const use = `Methods fill \`reply\`; one that needs time returns a promise.`;
  code.raw(docLines(desc, code.indent, [`service ${desc.typeName}, for servers. ${use}`, ...note]));
  code.block(
    [
      code.export('interface', names.server),
      methods.length === 0 ? '<_Context = unknown>' : '<Context = unknown>',
    ],
    () => {
      for (const { desc: method, name } of methods) {
        code.raw(docLines(method, code.indent));
        code.line(
          `${name}(request: `,
          types.view(method.input),
          ', reply: ',
          types.builder(method.output),
          ', context: Context): void | Promise<void>;',
        );
      }
    },
  );
}

function emitTable(
  code: Code,
  desc: DescService,
  names: ServiceNames,
  methods: readonly MethodModel[],
  types: TypeReferences,
): void {
  const type = code.import('RpcService', RPC, true);
  code.line();
  code.line(`/** The methods of ${desc.typeName}, for servers. */`);
  code.block(
    [code.export('const', names.service), ': ', type, `<${names.server}> =`],
    () => {
      code.line(`typeName: ${quoted(desc.typeName)},`);
      code.line('methods: [');
      for (const { desc: method, name: member } of methods) {
        code.line('  {');
        code.line(`    name: ${quoted(method.name)},`);
        code.line(`    type: ${names.types}.${member},`);
        code.line('    serve: (server, request, encoder, context) => {');
        code.line('      const reply = new ', types.builder(method.output), '(encoder);');
        const view = ['new ', types.view(method.input), '(request)'];
        code.line(`      const done = server.${member}(`, ...view, ', reply, context);');
        code.line('      return done === undefined ? reply : done.then(() => reply);');
        code.line('    },');
        code.line('  },');
      }
      code.line('],');
    },
    '};',
  );
}
