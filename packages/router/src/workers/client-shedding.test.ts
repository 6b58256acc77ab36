import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENTS_LOOK_BYTES } from '../limits.ts';
import { ClientShedding, type SheddableClient } from './client-shedding.ts';

class FakeClient implements SheddableClient {
  readonly address: string;
  waitingBytes: number;

  constructor(address: string, waitingBytes: number) {
    this.address = address;
    this.waitingBytes = waitingBytes;
  }

  shed(): void {
    this.waitingBytes = 0;
  }
}

test('beyond the limit those go for which most waits, as many as it takes', () => {
  const clients = new Set([10, 40, 5, 30].map((bytes, index) => new FakeClient(`c${index}`, bytes)));
  const gone: string[] = [];
  const shedding = new ClientShedding(clients, (address, bytes) => gone.push(`${address} ${bytes}`), 50);
  shedding.received(CLIENTS_LOOK_BYTES - 1);
  assert.deepEqual(gone, [], 'nothing came, nothing waits');
  shedding.received(1);
  assert.deepEqual(gone, ['c1 40']);
  assert.equal(shedding.shed, 1);
  shedding.received(CLIENTS_LOOK_BYTES);
  assert.deepEqual(gone, ['c1 40']);
  [...clients][0]!.waitingBytes = 20;
  shedding.look();
  assert.deepEqual(gone, ['c1 40', 'c3 30']);
});
