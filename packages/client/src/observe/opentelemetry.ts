/**
 * Spans and the duration histogram of OpenTelemetry's database conventions: `db.system.name`, `db.operation.name`,
 * `db.operation.batch.size`, `db.client.operation.duration`.
 *
 * ```
 *   observeWithOpenTelemetry(cache);
 * ```
 */
import {
  type Attributes,
  context,
  type Meter,
  metrics,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Cache } from '../cache.ts';
import { CacheError } from '../errors.ts';
import { type ObservedCall, observeCalls } from './around.ts';

export interface OpenTelemetryOptions {
  /** The global provider's if not given. */
  readonly tracer?: Tracer;
  readonly meter?: Meter;
  /** The key as `db.query.text`. False by default: keys may name persons. */
  readonly keys?: boolean;
  /** Calls outside of any span make none either. False by default. */
  readonly requireParent?: boolean;
}

const SCOPE = '@larder/client';

function attributesOf(call: ObservedCall, withKeys: boolean): Attributes {
  const attributes: Attributes = { 'db.system.name': 'memcached', 'db.operation.name': call.operation };
  // The conventions want the size only of real batches.
  if (call.keyCount !== undefined && call.keyCount > 1) attributes['db.operation.batch.size'] = call.keyCount;
  if (withKeys && call.key !== undefined) attributes['db.query.text'] = `${call.operation} ${call.key}`;
  return attributes;
}

/** Makes a span for each call, and records its duration; what is returned ends that. */
export function observeWithOpenTelemetry(cache: Cache, options: OpenTelemetryOptions = {}): () => void {
  const tracer = options.tracer ?? trace.getTracer(SCOPE);
  const meter = options.meter ?? metrics.getMeter(SCOPE);
  const withKeys = options.keys ?? false;
  const duration = meter.createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'Duration of database client operations',
  });
  return observeCalls(cache, async (call, run) => {
    const parent = context.active();
    if (options.requireParent === true && trace.getSpan(parent) === undefined) return run();
    const attributes = attributesOf(call, withKeys);
    const span = tracer.startSpan(call.operation, { kind: SpanKind.CLIENT, attributes }, parent);
    const startedMs = performance.now();
    const failed: Attributes = {};
    try {
      return await context.with(trace.setSpan(parent, span), run);
    } catch (thrown) {
      failed['error.type'] = thrown instanceof CacheError ? thrown.code : nameOf(thrown);
      span.setAttributes(failed);
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(thrown) });
      throw thrown;
    } finally {
      span.end();
      duration.record((performance.now() - startedMs) / 1000, { ...attributes, ...failed });
    }
  });
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}
