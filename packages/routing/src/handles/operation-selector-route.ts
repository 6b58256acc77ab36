/** The child that the request's operation has in `operation_policies`, otherwise `default_policy`. */
import { z } from 'zod';
import type { Destination } from '../destination/destination.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import type { Reply } from '../reply.ts';
import { OPERATION_NAMES, type Operation, operationOf, type Request } from '../request.ts';
import type { MightAsk, RouteHandle } from '../route-handle.ts';
import { NullRoute } from './null-route.ts';

/** mcrouter's names that differ from the ones on the wire. */
const SYNONYMS: Readonly<Record<string, string>> = { metaget: 'mg', flushall: 'flush_all' };

export class OperationSelectorRoute implements RouteHandle {
  readonly name: string = 'operation-selector';
  readonly children: readonly RouteHandle[];
  readonly #byOperation: readonly RouteHandle[];

  constructor(policies: ReadonlyMap<Operation, RouteHandle>, fallback: RouteHandle) {
    this.children = [...new Set([...policies.values(), fallback])];
    this.#byOperation = OPERATION_NAMES.map((_, index) => policies.get(index as Operation) ?? fallback);
  }

  route(request: Request): Promise<Reply> {
    return this.#byOperation[request.operation]!.route(request);
  }

  direct(request: Request): Destination | undefined {
    const child = this.#byOperation[request.operation]!;
    return child.direct === undefined ? undefined : child.direct(request);
  }

  mightAsk(request: Request): readonly MightAsk[] {
    return [[this.#byOperation[request.operation]!, request]];
  }
}

export const operationSelectorRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'OperationSelectorRoute',
  parameters: z.strictObject({
    default_policy: routeJson.optional(),
    operation_policies: z.record(z.string(), routeJson).optional(),
  }),
  restParameter: 'default_policy',
  build: (parameters, context) => {
    const { default_policy, operation_policies } = parameters;
    if (default_policy === undefined && operation_policies === undefined) {
      return context.fail('expected default_policy or operation_policies');
    }
    const policies = new Map<Operation, RouteHandle>();
    // In the order of their names, as mcrouter does it: named handles may be defined in one and used in the next.
    for (const name of Object.keys(operation_policies ?? {}).sort()) {
      const operation = operationOf(SYNONYMS[name] ?? name);
      if (operation === undefined) {
        return context.fail(
          `expected the name of an operation: ${OPERATION_NAMES.join(', ')}`,
          'operation_policies',
          name,
        );
      }
      policies.set(operation, context.route(operation_policies?.[name] ?? '', 'operation_policies', name));
    }
    const fallback =
      default_policy === undefined ? new NullRoute() : context.route(default_policy, 'default_policy');
    return policies.size === 0 ? fallback : new OperationSelectorRoute(policies, fallback);
  },
});
