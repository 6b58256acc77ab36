/** Names that protobuf derives from other names. */

/** `string_map` → `StringMapEntry`. */
export function mapEntryName(fieldName: string): string {
  return `${fieldName.replace(/(?:^|_)([a-z]?)/g, (_match, first: string) => first.toUpperCase())}Entry`;
}

/** The default JSON name: `foo_bar` → `fooBar`. */
export function jsonName(fieldName: string): string {
  return fieldName.replace(/_+(.?)/g, (_match, next: string) => next.toUpperCase());
}
