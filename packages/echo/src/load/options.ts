/** What a load is asked for, checked once. */
import { decimalWithin, integerWithin, PORT_MAX } from '@larder/host';
import { EchoError } from '../errors.ts';
import {
  DEFAULT_CONNECTIONS,
  DEFAULT_FIELD_BYTES,
  DEFAULT_FIELDS,
  DEFAULT_IN_FLIGHT,
  DEFAULT_SECONDS,
  DEFAULT_WARM_UP_SECONDS,
  FIELDS_MAX,
  IN_FLIGHT_MAX,
  LEVELS_MAX,
  LOAD_CONNECTIONS_MAX,
  LOAD_MESSAGE_BYTES_MAX,
  SECONDS_MAX,
  SECONDS_MIN,
} from '../limits.ts';

export interface EchoLoadOptions {
  readonly host: string;
  readonly port: number;
  /** One of `SERIALIZERS`, and the server's; without, `larder`. */
  readonly serializer?: string | undefined;
  /** UDP instead of TCP. */
  readonly udp?: boolean | undefined;
  /** Bytes of one buffer (2048), and buffers (2): one is a field, several are a list. */
  readonly fieldBytes?: number | undefined;
  readonly fields?: number | undefined;
  /** Levels of a tree of messages, each with these buffers (1: no tree). */
  readonly levels?: number | undefined;
  /** How long it counts (5). */
  readonly seconds?: number | undefined;
  /** How long it runs before that (0.5): both sides compile their code first. */
  readonly warmUpSeconds?: number | undefined;
  /** Connections, or UDP sockets (1), and requests in flight on each (16). */
  readonly connections?: number | undefined;
  readonly inFlight?: number | undefined;
  /** Of TCP: uring, epoll or node; without, the best that works here. */
  readonly transport?: string | undefined;
  /** Ends the load early. */
  readonly signal?: AbortSignal | undefined;
}

export interface EchoLoadSettings {
  readonly host: string;
  readonly port: number;
  readonly serializer: string;
  readonly udp: boolean;
  readonly fieldBytes: number;
  readonly fields: number;
  readonly levels: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly inFlight: number;
  /** '' for the best that works here. */
  readonly transport: string;
}

/** Fills in the defaults; throws `OPTION` for what makes no sense. */
export function resolveLoadOptions(options: EchoLoadOptions): EchoLoadSettings {
  const size = options.fieldBytes ?? DEFAULT_FIELD_BYTES;
  const connections = options.connections ?? DEFAULT_CONNECTIONS;
  const settings: EchoLoadSettings = {
    host: options.host,
    port: integerWithin('--load', options.port, 1, PORT_MAX),
    serializer: options.serializer ?? 'larder',
    udp: options.udp ?? false,
    fieldBytes: integerWithin('--size', size, 1, LOAD_MESSAGE_BYTES_MAX),
    fields: integerWithin('--fields', options.fields ?? DEFAULT_FIELDS, 1, FIELDS_MAX),
    levels: integerWithin('--levels', options.levels ?? 1, 1, LEVELS_MAX),
    seconds: decimalWithin('--seconds', options.seconds ?? DEFAULT_SECONDS, SECONDS_MIN, SECONDS_MAX),
    warmUpSeconds: decimalWithin('warm-up', options.warmUpSeconds ?? DEFAULT_WARM_UP_SECONDS, 0, SECONDS_MAX),
    connections: integerWithin('--connections', connections, 1, LOAD_CONNECTIONS_MAX),
    inFlight: integerWithin('--in-flight', options.inFlight ?? DEFAULT_IN_FLIGHT, 1, IN_FLIGHT_MAX),
    transport: options.transport ?? '',
  };
  const bytes = settings.fieldBytes * settings.fields * (2 ** settings.levels - 1);
  if (bytes > LOAD_MESSAGE_BYTES_MAX) {
    const text = `--size: a message of ${bytes} bytes in all; the load sends at most ${LOAD_MESSAGE_BYTES_MAX}`;
    throw new EchoError('OPTION', text, { option: '--size' });
  }
  return settings;
}
