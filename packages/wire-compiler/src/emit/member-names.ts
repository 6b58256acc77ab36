/**
 * The names of a message's properties and of what its classes keep them in. A field has the name that other
 * TypeScript code of the same schema would give it; only what classes need for themselves is avoided, by a `$`.
 */
import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';

/** What builders and views have beside their fields, and what objects inherit. */
const TAKEN: readonly string[] = [
  '__proto__',
  'assign',
  'constructor',
  'copy',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'release',
  'reset',
  'retain',
  'toJSON',
  'toLocaleString',
  'toString',
  'valueOf',
  '$at',
  '$bits',
  '$clear',
  '$depth',
  '$encoder',
  '$entries',
  '$generation',
  '$header',
  '$keep',
  '$marks',
  '$measure',
  '$message',
  '$over',
  '$words',
  '$write',
];

/** What a class keeps a field in that is more than a property, and the methods that belong to a field. */
export interface StorageNames {
  /** A child object or a list, or the number of a oneof's member. */
  readonly value: string;
  /** Bytes of staged data, or elements of a packed list. */
  readonly size: string;
  readonly place: string;
  /** Methods. */
  readonly init: string;
  readonly locate: string;
  readonly setAt: string;
  readonly setReference: string;
}

/** Of a oneof: which member is set, as a property and as it is kept; and the method that empties it. */
export interface OneofNames {
  readonly property: string;
  readonly storage: string;
  readonly clear: string;
}

export class MemberNames {
  readonly #taken = new Set(TAKEN);
  readonly #fields = new Map<DescField, string>();
  readonly #oneofs = new Map<DescOneof, OneofNames>();
  readonly #storage = new Map<DescField, StorageNames>();

  constructor(message: DescMessage) {
    // Fields come first: what the classes add gives way to them.
    for (const field of message.fields) this.#fields.set(field, this.#free(camelCase(field.name)));
    for (const oneof of message.oneofs) {
      const name = camelCase(oneof.name);
      const property = this.#free(`${name}Case`);
      const storage = this.#free(`$${property}`);
      this.#oneofs.set(oneof, { property, storage, clear: this.#free(`clear${upperFirst(name)}`) });
    }
    for (const field of message.fields) {
      const name = this.field(field);
      const upper = upperFirst(name);
      this.#storage.set(field, {
        value: this.#free(`$${name}`),
        size: this.#free(field.fieldKind === 'list' ? `$${name}Count` : `$${name}Size`),
        place: this.#free(`$${name}Place`),
        init: this.#free(`init${upper}`),
        locate: this.#free(`locate${upper}`),
        setAt: this.#free(`set${upper}At`),
        setReference: this.#free(`set${upper}Reference`),
      });
    }
  }

  field(field: DescField): string {
    return this.#fields.get(field)!;
  }

  storage(field: DescField): StorageNames {
    return this.#storage.get(field)!;
  }

  oneof(oneof: DescOneof): OneofNames {
    return this.#oneofs.get(oneof)!;
  }

  #free(name: string): string {
    let free = name;
    // `$bits0`, `$bits1` and so on are the words of the bitmap.
    while (this.#taken.has(free) || /^\$bits\d*$/.test(free)) free += '$';
    this.#taken.add(free);
    return free;
  }
}

/** `foo_bar` → `fooBar`; what starts with an upper-case letter or a digit is kept valid and as it is. */
export function camelCase(name: string): string {
  const joined = name.replace(/_+([A-Za-z0-9])/g, (_match, next: string, at: number) =>
    at === 0 ? next : next.toUpperCase(),
  );
  const trimmed = joined.replace(/_+$/, '');
  return trimmed === '' || /^\d/.test(trimmed) ? `_${trimmed}` : trimmed;
}

function upperFirst(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
