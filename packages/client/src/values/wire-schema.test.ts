import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Album, type AlbumInit, AlbumView } from '../testing/album.larder.ts';
import { eachServer } from '../testing/each-server.ts';
import { ValueCodec } from './codec.ts';
import { ValueFlag } from './flags.ts';
import { wireSchema } from './wire-schema.ts';

const schema = wireSchema<AlbumInit, Album, AlbumView>(Album, AlbumView);
const photo = (index: number): Buffer => Buffer.alloc(700, index);

test('builders and plain objects are written alike, and read as a view', () => {
  const codec = new ValueCodec();
  const plain = codec.encode({ id: 7, photos: [photo(1), photo(2)] }, schema);
  const built = codec.encode(Album.from({ id: 7, photos: [photo(1), photo(2)] }), schema);
  assert.equal(plain.flags, ValueFlag.schema);
  assert.deepEqual(plain, built);
  const view = codec.decode(Buffer.from(plain.bytes), plain.flags, schema) as AlbumView;
  assert.ok(view instanceof AlbumView);
  assert.equal(view.id, 7);
  assert.equal(view.photos.length, 2);
  assert.ok(photo(2).equals(view.photos.at(1) as Uint8Array));
});

test('nothing is decoded before a getter asks for it: damage shows only where it is', () => {
  const codec = new ValueCodec();
  const { bytes, flags } = codec.encode({ id: 7, photos: [photo(1)] }, schema);
  const damaged = Buffer.from(bytes);
  // The entry of the list, behind the header and the entry of the id: an offset far beyond the message.
  damaged.writeUInt32LE(0x7fff_ff00, 20);
  const view = codec.decode(damaged, flags, schema) as AlbumView;
  assert.equal(view.id, 7);
  assert.throws(() => view.photos.at(0));
});

eachServer((group) => {
  test('a typed value goes in as a message and comes out as its view, also from a factory', async () => {
    await using cache = await group.connect({ keyPrefix: 'albums:' });
    await cache.set('one', { id: 1, photos: [photo(5)] }, { schema });
    const one = await cache.get('one', { schema });
    assert.deepEqual([one?.id, one?.photos.length], [1, 1]);
    const made = await cache.getOrSet('two', () => Album.from({ id: 2 }), { schema });
    const again = await cache.getOrSet('two', () => assert.fail('it is there'), { schema });
    assert.deepEqual([made?.id, again?.id], [2, 2]);
    assert.ok(made instanceof AlbumView && again instanceof AlbumView);
    const many = await cache.getMany(['one', 'two', 'three'], { schema });
    assert.deepEqual(
      [...many].map(([key, view]) => [key, view.id]),
      [
        ['one', 1],
        ['two', 2],
      ],
    );
  });
});
