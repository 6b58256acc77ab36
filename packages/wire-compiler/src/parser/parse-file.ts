/**
 * One .proto file to its descriptor, names not yet resolved.
 *
 * ```
 * file = [ "syntax" "=" "\"proto3\"" ";" ] { import | package | option | message | enum | service | extend | ";" }
 * ```
 */
import { create } from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileOptionsSchema,
  SourceCodeInfoSchema,
} from '@bufbuild/protobuf/wkt';
import { tokenize } from './lexer.ts';
import { applyOption, parseOption } from './options.ts';
import { ParseContext } from './parse-context.ts';
import { parseEnum } from './parse-enums.ts';
import { parseExtend } from './parse-extend.ts';
import { parseMessage } from './parse-messages.ts';
import { parseService } from './parse-services.ts';
import type { ParsedFile } from './parsed-file.ts';
import { TokenStream } from './token-stream.ts';

/** Field numbers of FileDescriptorProto, for paths. */
const PACKAGE = 2;
const DEPENDENCY = 3;
const MESSAGE_TYPE = 4;
const ENUM_TYPE = 5;
const SERVICE = 6;
const EXTENSION = 7;
const SYNTAX = 12;

/** `name` is the path by which other files import this one. */
export function parseFile(name: string, text: string): ParsedFile {
  const tokens = new TokenStream(name, tokenize(name, text));
  const context = new ParseContext(tokens);
  const proto = create(FileDescriptorProtoSchema, { name });
  const whole = context.open([]);
  parseSyntax(context, proto);
  while (tokens.current.kind !== 'end') parseStatement(context, proto);
  context.close(whole);
  proto.sourceCodeInfo = create(SourceCodeInfoSchema, { location: context.locations });
  return { proto, places: context.places };
}

function parseSyntax(context: ParseContext, proto: FileDescriptorProto): void {
  const { tokens } = context;
  const location = context.open([SYNTAX]);
  if (tokens.is('edition'))
    tokens.fail('editions are not supported; write syntax = "proto3";', tokens.current, 'UNSUPPORTED');
  if (!tokens.is('syntax'))
    tokens.fail(
      'the file must start with syntax = "proto3"; without it, it is proto2, which is not supported',
      tokens.current,
      'UNSUPPORTED',
    );
  tokens.take('syntax');
  tokens.take('=');
  const valueToken = tokens.current;
  const syntax = tokens.takeText('the syntax');
  if (syntax === 'proto2')
    tokens.fail('proto2 is not supported; write syntax = "proto3";', valueToken, 'UNSUPPORTED');
  if (syntax !== 'proto3')
    tokens.fail(`there is no syntax ${JSON.stringify(syntax)}; write "proto3"`, valueToken, 'UNSUPPORTED');
  proto.syntax = syntax;
  context.attach(location, tokens.takeEnd(';', '";" after the syntax'));
  context.close(location);
}

function parseStatement(context: ParseContext, proto: FileDescriptorProto): void {
  const { tokens } = context;
  switch (tokens.current.text) {
    case ';':
      tokens.takeEnd(';', '";"');
      return;
    case 'import':
      parseImport(context, proto);
      return;
    case 'package':
      parsePackage(context, proto);
      return;
    case 'option':
      parseFileOption(context, proto);
      return;
    case 'message':
      proto.messageType.push(parseMessage(context, [MESSAGE_TYPE, proto.messageType.length], 1));
      return;
    case 'enum':
      proto.enumType.push(parseEnum(context, [ENUM_TYPE, proto.enumType.length]));
      return;
    case 'service':
      proto.service.push(parseService(context, [SERVICE, proto.service.length]));
      return;
    case 'extend':
      proto.extension.push(...parseExtend(context, [EXTENSION], proto.extension.length));
      return;
    default:
      tokens.fail(`expected import, package, option, message, enum or service, found ${tokens.current.text}`);
  }
}

function parseImport(context: ParseContext, proto: FileDescriptorProto): void {
  const { tokens } = context;
  const index = proto.dependency.length;
  const location = context.open([DEPENDENCY, index]);
  tokens.take('import');
  if (tokens.is('option'))
    tokens.fail('import option belongs to editions, which are not supported', tokens.current, 'UNSUPPORTED');
  if (tokens.tryTake('public')) proto.publicDependency.push(index);
  else if (tokens.tryTake('weak')) proto.weakDependency.push(index);
  const nameToken = tokens.current;
  const name = tokens.takeText('the path of a file');
  if (proto.dependency.includes(name)) tokens.fail(`${name} is imported twice`, nameToken, 'DUPLICATE');
  proto.dependency.push(name);
  context.attach(location, tokens.takeEnd(';', '";" after the import'));
  context.close(location);
}

function parsePackage(context: ParseContext, proto: FileDescriptorProto): void {
  const { tokens } = context;
  const location = context.open([PACKAGE]);
  const start = tokens.take('package');
  if (proto.package !== '') tokens.fail('a file has one package', start, 'DUPLICATE');
  const { name, token } = tokens.takeTypeName('the name of the package');
  if (name.startsWith('.')) tokens.fail('the name of a package does not start with a dot', token);
  proto.package = name;
  context.attach(location, tokens.takeEnd(';', '";" after the package'));
  context.close(location);
}

function parseFileOption(context: ParseContext, proto: FileDescriptorProto): void {
  const { tokens } = context;
  tokens.take('option');
  const options = applyOption(tokens, parseOption(tokens), FileOptionsSchema, proto.options);
  if (options !== undefined) proto.options = options;
  tokens.takeEnd(';', '";" after the option');
}
