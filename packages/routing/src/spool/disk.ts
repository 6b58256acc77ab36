/** What the spool asks of the file system; tests put a failing one in its place. */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { makeFolder } from './spool-folder.ts';

export interface Disk {
  makeFolder(path: string): void;
  list(folder: string): readonly string[];
  /** Creates a file for appending; its name is on the disk when `syncFolder` returns. */
  create(path: string): number;
  /** Writes [0, bytes) of `buffer`; returns how much was written, as write(2) does. */
  write(descriptor: number, buffer: Buffer, start: number, end: number): number;
  truncate(descriptor: number, bytes: number): void;
  sync(descriptor: number): void;
  syncLater(descriptor: number, done: (error: Error | null) => void): void;
  syncFolder(path: string): void;
  close(descriptor: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  read(path: string): Buffer;
  size(path: string): number;
}

export const nodeDisk: Disk = {
  makeFolder,
  list: (folder) => readdirSync(folder),
  create: (path) => openSync(path, 'ax', 0o600),
  write: (descriptor, buffer, start, end) => writeSync(descriptor, buffer, start, end - start),
  truncate: (descriptor, bytes) => ftruncateSync(descriptor, bytes),
  sync: (descriptor) => fdatasyncSync(descriptor),
  syncLater: (descriptor, done) => fdatasync(descriptor, done),
  syncFolder: (path) => {
    const descriptor = openSync(path, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
  close: (descriptor) => closeSync(descriptor),
  rename: (from, to) => renameSync(from, to),
  remove: (path) => unlinkSync(path),
  read: (path) => readFileSync(path),
  size: (path) => statSync(path).size,
};
