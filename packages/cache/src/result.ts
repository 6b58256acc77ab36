/** What store operations answer. */
export const StoreResult: {
  readonly stored: 1;
  readonly notStored: 2;
  readonly exists: 3;
  readonly notFound: 4;
  readonly staleStored: 5;
  readonly deleted: 6;
  readonly ok: 7;
  readonly tooLarge: 8;
  readonly outOfMemory: 9;
  readonly notNumber: 10;
} = {
  stored: 1,
  notStored: 2,
  exists: 3,
  notFound: 4,
  staleStored: 5,
  deleted: 6,
  ok: 7,
  tooLarge: 8,
  outOfMemory: 9,
  notNumber: 10,
};
export type StoreResult = (typeof StoreResult)[keyof typeof StoreResult];

/** How `link` treats an item that is there already. */
export const StoreMode: {
  readonly set: 1;
  readonly add: 2;
  readonly replace: 3;
  readonly append: 4;
  readonly prepend: 5;
  readonly cas: 6;
} = { set: 1, add: 2, replace: 3, append: 4, prepend: 5, cas: 6 };
export type StoreMode = (typeof StoreMode)[keyof typeof StoreMode];

/** What `leaseGet` found (papers/nsdi13 3.2.1). */
export const LeaseOutcome: {
  /** The item is cached. */
  readonly hit: 1;
  /** A miss, and the caller holds the token: it may fill. */
  readonly token: 2;
  /** A miss, and somebody else holds the token: wait, or take the stale value. */
  readonly hot: 3;
} = { hit: 1, token: 2, hot: 3 };
export type LeaseOutcome = (typeof LeaseOutcome)[keyof typeof LeaseOutcome];

/** Bits of `metaOutcome` after `metaGet`: memcached's W, X and Z, and what the h flag reports. */
export const META_WON: number = 1;
export const META_STALE: number = 2;
export const META_SENT: number = 4;
/** The key was missing and a stub was made for it (N flag). */
export const META_VIVIFIED: number = 8;
export const META_WAS_FETCHED: number = 16;
