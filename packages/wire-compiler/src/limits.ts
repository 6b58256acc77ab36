/** Limits of the compiler. Beyond them a schema is refused instead of taking the machine's memory. */

/** Characters of one .proto file. */
export const SCHEMA_LENGTH_MAX: number = 8 << 20;
/** Messages inside messages, as protoc. */
export const NESTING_MAX: number = 32;
/** Depth of the braces of an option's value. */
export const OPTION_DEPTH_MAX: number = 32;
/** Files reached from one schema through imports. */
export const IMPORTED_FILES_MAX: number = 10_000;
/** Field numbers are 29 bits. */
export const FIELD_NUMBER_MAX: number = (1 << 29) - 1;
/** Numbers that protobuf keeps for itself. */
export const FIELD_NUMBER_RESERVED_FIRST: number = 19_000;
export const FIELD_NUMBER_RESERVED_LAST: number = 19_999;
export const ENUM_NUMBER_MIN: number = -(2 ** 31);
export const ENUM_NUMBER_MAX: number = 2 ** 31 - 1;
