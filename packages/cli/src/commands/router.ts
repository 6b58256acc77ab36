/** `larder router`: only the router, for operators and supervisors. Everything it has to say goes to stderr. */
import { checkRouter, RouterError, type RouterOptions, startRouter } from '@larder/router';
import { type RouterFlags, routerOptionsFrom } from '../router-flags.ts';
import { StopSignals } from './stop-on-signals.ts';

export async function router(flags: RouterFlags): Promise<void> {
  const config = configOf(flags);
  if (flags.check === true) {
    await checkRouter(routerOptionsFrom(flags, config));
    process.stdout.write('the configuration is right\n');
    return;
  }
  const signals = new StopSignals();
  const started = await startRouter(routerOptionsFrom(flags, config));
  process.on('SIGHUP', () => started.reload());
  signals.attach(started);
  process.exitCode = await started.closed;
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
