/**
 * Prometheus metrics that count nothing themselves: each scrape reads what the process has counted already. An
 * entry of its own (`@larder/host/metrics`), so that prom-client is loaded by the first scrape and not before.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The distribution for some labels, as it was counted elsewhere. */
export interface HistogramReading {
  readonly labels: Labels;
  /** Upper bounds with how much lies at or below each. */
  readonly buckets: readonly (readonly [bound: number, cumulative: number])[];
  readonly count: number;
  readonly sum: number;
}

export type Labels = Readonly<Record<string, string>>;

export class ReadMetrics {
  readonly registry: Registry = new Registry();

  /** A number that goes up and down. */
  gauge(name: string, help: string, read: () => number): void {
    this.gauges(name, help, [], () => [[{}, read()]]);
  }

  /** A number that is counted since the start. */
  counter(name: string, help: string, read: () => number): void {
    this.counters(name, help, [], () => [[{}, read()]]);
  }

  gauges(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<readonly [Labels, number]>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set({ ...labels }, value);
      },
    });
  }

  counters(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<readonly [Labels, number]>,
  ): void {
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc({ ...labels }, value);
      },
    });
  }

  histogram(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<HistogramReading>,
  ): void {
    this.registry.registerMetric(new CountedHistogram(name, help, labelNames, read));
  }

  /** A gauge that is always 1, whose labels tell what runs, and what the process uses of the machine. */
  process(infoName: string, info: Labels): void {
    const help = 'Always 1; the labels tell what runs.';
    this.gauges(infoName, help, Object.keys(info), () => [[info, 1]]);
    this.gauge('process_resident_memory_bytes', 'Resident memory of the whole process.', () =>
      process.memoryUsage.rss(),
    );
    this.counter('process_cpu_seconds_total', 'CPU time of the whole process, user and system.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }
}

interface HistogramRow {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

type RegistryReading = Awaited<ReturnType<Histogram['get']>>;

/** A histogram whose buckets were counted elsewhere. */
class CountedHistogram extends Histogram {
  readonly #metric: { readonly name: string; readonly help: string };
  readonly #read: () => Iterable<HistogramReading>;

  constructor(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<HistogramReading>,
  ) {
    super({ name, help, labelNames: [...labelNames], registers: [] });
    this.#metric = { name, help };
    this.#read = read;
  }

  override async get(): Promise<RegistryReading> {
    const { name, help } = this.#metric;
    const values = [...this.#read()].flatMap((reading) => histogramRows(name, reading));
    // The type wants prom-client's enum, which exists in its declarations only.
    return { name, help, type: 'histogram', aggregator: 'sum', values } as unknown as RegistryReading;
  }

  /** prom-client's registry prefers this over `get`. */
  getForPromString(): Promise<RegistryReading> {
    return this.get();
  }
}

function histogramRows(name: string, reading: HistogramReading): HistogramRow[] {
  const labels = { ...reading.labels };
  const bucket = (le: string | number, value: number): HistogramRow => ({
    metricName: `${name}_bucket`,
    labels: { le, ...labels },
    value,
  });
  return [
    ...reading.buckets.map(([bound, cumulative]) => bucket(bound, cumulative)),
    bucket('+Inf', reading.count),
    { metricName: `${name}_sum`, labels, value: reading.sum },
    { metricName: `${name}_count`, labels, value: reading.count },
  ];
}
