/**
 * A process that spools deletes as fast as it can until it is killed: `node spool-process.ts <folder> <label>`.
 * After every delete that is in the spool it writes the key to stdout, so that what it has promised is known.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../clock.ts';
import { FakeCache } from '../../handles/testing/fake-cache.ts';
import { Operation, Request } from '../../request.ts';
import { Spool } from '../spool.ts';

const [folder = '', label = ''] = process.argv.slice(2);
const destination = new FakeCache(label, systemClock);
destination.state = 'tko';
const spool = new Spool({
  folder,
  clock: systemClock,
  random: Math.random,
  notice: (text) => process.stderr.write(`${text}\n`),
  segmentBytesMax: 64 * 1024,
});
spool.attach(destination);
for (let index = 0; ; index++) {
  const key = `key:${index}:${'x'.repeat(index % 100)}`;
  if (spool.append(destination, Request.of(Operation.delete, key))) writeSync(1, `${key}\n`);
}
