/**
 * ```
 * service = "service" name "{" { rpc | option | ";" } "}"
 * rpc     = "rpc" name "(" [ "stream" ] type ")" "returns" "(" [ "stream" ] type ")" ( "{" { option | ";" } "}" | ";" )
 * ```
 */
import { create } from '@bufbuild/protobuf';
import {
  type MethodDescriptorProto,
  MethodDescriptorProtoSchema,
  type MethodOptions,
  MethodOptionsSchema,
  type ServiceDescriptorProto,
  ServiceDescriptorProtoSchema,
  ServiceOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { applyOption, parseOption } from './options.ts';
import type { ParseContext, Path } from './parse-context.ts';

/** Field number of ServiceDescriptorProto, for paths. */
const METHOD = 2;

export function parseService(context: ParseContext, path: Path): ServiceDescriptorProto {
  const { tokens } = context;
  const location = context.open(path);
  tokens.take('service');
  const service = create(ServiceDescriptorProtoSchema);
  const nameToken = tokens.takeName('the name of a service');
  service.name = nameToken.text;
  context.places.setName(service, tokens.place(nameToken));
  context.attach(location, tokens.takeEnd('{', '"{" after the name of the service'));
  while (!tokens.is('}')) {
    if (tokens.is(';')) {
      tokens.takeEnd(';', '";"');
    } else if (tokens.is('option')) {
      tokens.take('option');
      const options = applyOption(tokens, parseOption(tokens), ServiceOptionsSchema, service.options);
      if (options !== undefined) service.options = options;
      tokens.takeEnd(';', '";" after the option');
    } else {
      service.method.push(parseMethod(context, [...path, METHOD, service.method.length]));
    }
  }
  tokens.takeEnd('}', '"}"');
  context.close(location);
  return service;
}

function parseMethod(context: ParseContext, path: Path): MethodDescriptorProto {
  const { tokens } = context;
  const location = context.open(path);
  tokens.take('rpc');
  const method = create(MethodDescriptorProtoSchema);
  const nameToken = tokens.takeName('the name of a method');
  method.name = nameToken.text;
  context.places.setName(method, tokens.place(nameToken));
  context.places.setType(method, tokens.place());
  const input = parseParameter(context);
  tokens.take('returns');
  const output = parseParameter(context);
  method.inputType = input.type;
  method.outputType = output.type;
  if (input.isStream) method.clientStreaming = true;
  if (output.isStream) method.serverStreaming = true;
  if (tokens.is('{')) {
    context.attach(location, tokens.takeEnd('{', '"{"'));
    // Braces say that there are options, even when they are empty.
    let options: MethodOptions = create(MethodOptionsSchema);
    while (!tokens.is('}')) {
      if (tokens.is(';')) {
        tokens.takeEnd(';', '";"');
        continue;
      }
      tokens.take('option');
      options = applyOption(tokens, parseOption(tokens), MethodOptionsSchema, options) ?? options;
      tokens.takeEnd(';', '";" after the option');
    }
    tokens.takeEnd('}', '"}"');
    method.options = options;
  } else {
    context.attach(location, tokens.takeEnd(';', '";" or "{" after the method'));
  }
  context.close(location);
  return method;
}

/** `( [stream] type )`. */
function parseParameter(context: ParseContext): { readonly type: string; readonly isStream: boolean } {
  const { tokens } = context;
  tokens.take('(');
  // `stream` may also be the first part of a type's name.
  const isStream = tokens.is('stream') && tokens.following.text !== ')' && tokens.following.text !== '.';
  const isStreamOfAbsolute = tokens.is('stream') && tokens.following.text === '.' && hasSpaceAfter(context);
  if (isStream || isStreamOfAbsolute) tokens.next();
  const { name } = tokens.takeTypeName('the type of a message');
  tokens.take(')');
  return { type: name, isStream: isStream || isStreamOfAbsolute };
}

/** `stream .pkg.Type` against `stream.Type`. */
function hasSpaceAfter(context: ParseContext): boolean {
  const { current, following } = context.tokens;
  return following.line !== current.line || following.column > current.endColumn;
}
