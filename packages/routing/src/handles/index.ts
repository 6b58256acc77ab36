/** Every route handle that a configuration may name. */
import type { RouteHandleDefinition } from '../registry.ts';
import { allAsyncRoute } from './all-async-route.ts';
import { allFastestRoute } from './all-fastest-route.ts';
import { allInitialRoute } from './all-initial-route.ts';
import { allMajorityRoute } from './all-majority-route.ts';
import { allSyncRoute } from './all-sync-route.ts';
import { asynclogRoute } from './asynclog-route.ts';
import { bigValueRoute } from './big-value-route.ts';
import { devNullRoute } from './dev-null-route.ts';
import { errorRoute } from './error-route.ts';
import { failoverRoute } from './failover-route.ts';
import { failoverWithExptimeRoute } from './failover-with-exptime-route.ts';
import { hashRoute } from './hash-route.ts';
import { keySplitRoute } from './key-split-route.ts';
import { l1L2CacheRoute } from './l1-l2-cache-route.ts';
import { latencyInjectionRoute } from './latency-injection-route.ts';
import { latestRoute } from './latest-route.ts';
import { loggingRoute } from './logging-route.ts';
import { migrateRoute } from './migrate-route.ts';
import { missFailoverRoute } from './miss-failover-route.ts';
import { modifyExptimeRoute } from './modify-exptime-route.ts';
import { modifyKeyRoute } from './modify-key-route.ts';
import { nullRoute } from './null-route.ts';
import { operationSelectorRoute } from './operation-selector-route.ts';
import { outstandingLimitRoute } from './outstanding-limit-route.ts';
import { poolRoute } from './pool-route.ts';
import { prefixSelectorRoute } from './prefix-selector-route.ts';
import { randomRoute } from './random-route.ts';
import { rateLimitRoute } from './rate-limit-route.ts';
import { replicaByClientRoute } from './replica-by-client-route.ts';
import { ruleSelectorRoute } from './rule-selector-route.ts';
import { shadowRoute } from './shadow-route.ts';
import { slowWarmUpRoute } from './slow-warm-up-route.ts';
import { warmUpRoute } from './warm-up-route.ts';

export const ROUTE_HANDLES: readonly RouteHandleDefinition[] = [
  allAsyncRoute,
  allFastestRoute,
  allInitialRoute,
  allMajorityRoute,
  allSyncRoute,
  asynclogRoute,
  bigValueRoute,
  devNullRoute,
  errorRoute,
  failoverRoute,
  failoverWithExptimeRoute,
  hashRoute,
  keySplitRoute,
  l1L2CacheRoute,
  latencyInjectionRoute,
  latestRoute,
  loggingRoute,
  migrateRoute,
  missFailoverRoute,
  modifyExptimeRoute,
  modifyKeyRoute,
  nullRoute,
  operationSelectorRoute,
  outstandingLimitRoute,
  poolRoute,
  prefixSelectorRoute,
  randomRoute,
  rateLimitRoute,
  replicaByClientRoute,
  ruleSelectorRoute,
  shadowRoute,
  slowWarmUpRoute,
  warmUpRoute,
];
