/**
 * What operators tune while the server runs: lru_crawler (without its dumps), lru and slabs. The commands and
 * answers are memcached's.
 */
import { NOT_A_NUMBER, readSigned, readUnsigned } from '@larder/protocol';
import type { SessionContext } from './context.ts';
import type { SessionOutput } from './output.ts';
import { CrawlResult, ReassignResult } from './server-control.ts';

const U32_MAX = 0xffff_ffff;
const CRAWLER_SLEEP_MICROSECONDS_MAX = 1_000_000;
/** HOT and WARM together, in percent. */
const HOT_AND_WARM_PERCENT_MAX = 80;
const BAD_FORMAT = 'CLIENT_ERROR bad command line format';

const CRAWL_TEXTS: Readonly<Record<CrawlResult, string>> = {
  [CrawlResult.ok]: 'OK',
  [CrawlResult.running]: 'BUSY currently processing crawler request',
  [CrawlResult.badClass]: 'BADCLASS invalid class id',
  [CrawlResult.notStarted]: 'NOTSTARTED no items to crawl',
  [CrawlResult.disabled]: 'CLIENT_ERROR lru crawler disabled',
};

const REASSIGN_TEXTS: Readonly<Record<ReassignResult, string>> = {
  [ReassignResult.ok]: 'OK',
  [ReassignResult.running]: 'BUSY currently processing reassign request',
  [ReassignResult.badClass]: 'BADCLASS invalid src or dst class id',
  [ReassignResult.noSpare]: 'NOSPARE source class has no spare pages',
  [ReassignResult.same]: 'SAME src and dst class are identical',
  [ReassignResult.disabled]: 'CLIENT_ERROR slab reassignment disabled',
};

/** The line that answers a crawl that was not begun. */
export function crawlText(result: CrawlResult): string {
  return CRAWL_TEXTS[result];
}

export class Tuning {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** lru_crawler enable|disable|crawl|sleep|tocrawl */
  crawler(output: SessionOutput): void {
    this.#context.replies.line(output, this.#crawler());
  }

  #crawler(): string {
    const { tokens, options } = this.#context;
    const control = options.control;
    if (tokens.count === 2) {
      if (tokens.is(1, 'enable'))
        return control.setCrawler(true) ? 'OK' : 'ERROR failed to start lru crawler thread';
      if (tokens.is(1, 'disable'))
        return control.setCrawler(false) ? 'OK' : 'ERROR failed to stop lru crawler thread';
      return 'ERROR';
    }
    if (tokens.count !== 3) return 'ERROR';
    switch (tokens.text(1)) {
      case 'crawl':
        return crawlText(control.crawl(tokens.text(2)));
      case 'tocrawl': {
        const items = this.#unsigned(2, U32_MAX);
        if (items === NOT_A_NUMBER) return BAD_FORMAT;
        control.setCrawlerItems(items);
        return 'OK';
      }
      case 'sleep': {
        const microseconds = this.#unsigned(2, U32_MAX);
        if (microseconds === NOT_A_NUMBER) return BAD_FORMAT;
        if (microseconds > CRAWLER_SLEEP_MICROSECONDS_MAX)
          return 'CLIENT_ERROR sleep must be one second or less';
        control.setCrawlerSleep(microseconds);
        return 'OK';
      }
      default:
        return 'ERROR';
    }
  }

  /** lru tune|mode|temp_ttl */
  lru(output: SessionOutput): void {
    this.#context.replies.line(output, this.#lru());
  }

  #lru(): string {
    const { tokens, options } = this.#context;
    const control = options.control;
    if (tokens.is(1, 'tune') && tokens.count >= 6) return this.#tune();
    if (tokens.count < 3) return 'ERROR';
    if (tokens.is(1, 'mode')) {
      if (!tokens.is(2, 'flat') && !tokens.is(2, 'segmented')) return 'ERROR';
      return control.setLruMode(tokens.is(2, 'segmented')) ? 'OK' : 'ERROR';
    }
    if (tokens.is(1, 'temp_ttl')) {
      const seconds = readSigned(this.#context.u8, tokens.start[2]!, tokens.end[2]!);
      return seconds !== NOT_A_NUMBER && control.setTemporaryTtl(seconds) ? 'OK' : 'ERROR';
    }
    return 'ERROR';
  }

  #tune(): string {
    const { tokens, options } = this.#context;
    const hot = this.#unsigned(2, U32_MAX);
    const warm = this.#unsigned(3, U32_MAX);
    const hotFactor = Number(tokens.text(4));
    const warmFactor = Number(tokens.text(5));
    if (hot === NOT_A_NUMBER || warm === NOT_A_NUMBER) return 'ERROR';
    if (!Number.isFinite(hotFactor) || !Number.isFinite(warmFactor)) return 'ERROR';
    if (hot + warm > HOT_AND_WARM_PERCENT_MAX) return 'ERROR hot and warm pcts must not exceed 80';
    if (hotFactor <= 0 || warmFactor <= 0) return 'ERROR hot/warm age factors must be greater than 0';
    return options.control.tuneLru(hot, warm, hotFactor, warmFactor) ? 'OK' : 'ERROR';
  }

  /** slabs reassign|automove */
  slabs(output: SessionOutput): void {
    this.#context.replies.line(output, this.#slabs());
  }

  #slabs(): string {
    const { tokens, options, u8 } = this.#context;
    const control = options.control;
    if (tokens.is(1, 'reassign') && tokens.count === 4) {
      const source = readSigned(u8, tokens.start[2]!, tokens.end[2]!);
      const target = readSigned(u8, tokens.start[3]!, tokens.end[3]!);
      if (source === NOT_A_NUMBER || target === NOT_A_NUMBER) return BAD_FORMAT;
      return REASSIGN_TEXTS[control.reassignSlab(source, target)];
    }
    if (!tokens.is(1, 'automove') || tokens.count < 3) return 'ERROR';
    if (tokens.is(2, 'ratio')) {
      const ratio = tokens.count < 4 ? Number.NaN : Number(tokens.text(3));
      if (!Number.isFinite(ratio)) return 'ERROR';
      control.setAutomoveRatio(ratio);
      return 'OK';
    }
    const level = this.#unsigned(2, U32_MAX);
    if (level === NOT_A_NUMBER) return BAD_FORMAT;
    if (level > 2) return 'ERROR';
    control.setAutomove(level);
    return 'OK';
  }

  #unsigned(index: number, maximum: number): number {
    const { tokens, u8 } = this.#context;
    return readUnsigned(u8, tokens.start[index]!, tokens.end[index]!, maximum);
  }
}
