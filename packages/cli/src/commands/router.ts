/** `larder router`: only the router, for operators and supervisors. Everything it has to say goes to stderr. */
import { RouterError, type RouterOptions, startRouter } from '@larder/router';
import { type RouterFlags, routerOptionsFrom } from '../router-flags.ts';
import { StopSignals } from './stop-on-signals.ts';

export async function router(flags: RouterFlags): Promise<void> {
  const config = configOf(flags);
  if (flags.check === true) {
    await check(flags, config);
    return;
  }
  const signals = new StopSignals();
  const started = await startRouter(routerOptionsFrom(flags, config));
  process.on('SIGHUP', () => started.reload());
  signals.attach(started);
  process.exitCode = await started.closed;
}

/** Starts with nothing to listen on, which reads and builds the whole configuration. */
async function check(flags: RouterFlags, config: RouterOptions['config']): Promise<void> {
  const options = routerOptionsFrom(flags, config);
  const started = await startRouter({ ...options, port: 'off', udpPort: 0, adminPort: 'off', threads: 1 });
  await started.stop();
  process.stdout.write('the configuration is right\n');
}

function configOf({ config, configStr }: RouterFlags): RouterOptions['config'] {
  if ((config === undefined) === (configStr === undefined)) {
    throw new RouterError(
      'OPTION',
      'the router needs a configuration: --config <file or URL>, or --config-str',
      {
        option: '--config',
      },
    );
  }
  if (configStr !== undefined) return { text: configStr };
  if (/^https?:\/\//.test(config!)) return { url: config! };
  // mcrouter writes files with their scheme.
  return { file: config!.replace(/^file:(\/\/)?/, '') };
}
