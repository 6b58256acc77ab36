/** Every route handle that a configuration may name. */
import type { RouteHandleDefinition } from '../registry.ts';
import { nullRoute } from './null-route.ts';
import { poolRoute } from './pool-route.ts';

export const ROUTE_HANDLES: readonly RouteHandleDefinition[] = [nullRoute, poolRoute];
