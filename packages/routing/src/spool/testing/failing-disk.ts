/** The real disk, until a test makes it full, slow to give way, or short of breath. */
import { type Disk, nodeDisk } from '../disk.ts';

export class FailingDisk {
  /** Bytes that may still be written; then ENOSPC. */
  roomBytes: number = Number.POSITIVE_INFINITY;
  /** A single write takes at most so many bytes. */
  writeBytesMax: number = Number.POSITIVE_INFINITY;
  canTruncate = true;
  canCreate = true;
  syncs = 0;
  readonly disk: Disk;

  constructor() {
    this.disk = {
      ...nodeDisk,
      create: (path) => {
        if (!this.canCreate) throw full();
        return nodeDisk.create(path);
      },
      write: (descriptor, buffer, start, end) => {
        const bytes = Math.min(end - start, this.roomBytes, this.writeBytesMax);
        if (bytes === 0) throw full();
        this.roomBytes -= bytes;
        return nodeDisk.write(descriptor, buffer, start, start + bytes);
      },
      truncate: (descriptor, bytes) => {
        if (!this.canTruncate) throw full();
        nodeDisk.truncate(descriptor, bytes);
      },
      sync: (descriptor) => {
        this.syncs++;
        nodeDisk.sync(descriptor);
      },
      syncLater: (_, done) => {
        this.syncs++;
        done(null);
      },
    };
  }
}

function full(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}
