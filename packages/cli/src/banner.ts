/** What `larder up` says when it is ready. */
import { formatSize, type RunningServer } from '@larder/server';
import picocolors from 'picocolors';
import { larderVersion } from './version.ts';

/** Only for people: what continuous integration or a file gets stays plain, whatever else the environment says. */
const colors = picocolors.createColors(process.stdout.isTTY === true && process.env.NO_COLOR === undefined);

const TRANSPORT_NAMES: Readonly<Record<string, string>> = {
  uring: 'io_uring',
  epoll: 'epoll',
  node: 'Node.js sockets (portable)',
};

export interface BannerOptions {
  /** The port that was wished for. */
  readonly requestedPort: number | 'off';
}

export function banner(server: RunningServer, options: BannerOptions): string {
  const row = (name: string, text: string) => `  ${colors.dim(name.padEnd(10))} ${text}\n`;
  const main = server.addresses.find((address) => address.kind === 'tcp');
  const admin = server.addresses.find((address) => address.kind === 'admin');
  let text = `\n${colors.bold('Larder')} ${larderVersion()}: a memcached-compatible cache server\n\n`;
  if (main !== undefined && options.requestedPort !== 0 && main.port !== options.requestedPort) {
    text += `  ${colors.yellow(`Port ${options.requestedPort} is taken; using ${main.port}, the next free one.`)}\n\n`;
  }
  for (const address of server.addresses) {
    if (address.kind !== 'admin')
      text += row(address.kind === 'tcp' ? 'address' : address.kind, address.text);
  }
  text += row('transport', TRANSPORT_NAMES[server.transport] ?? server.transport);
  text += row('memory', formatSize(server.settings.memoryBytes));
  text += row('workers', String(server.workers));
  if (admin !== undefined) text += row('admin', `http://${admin.text}/  (/metrics, /healthz, /stats.json)`);
  for (const note of server.notes) text += row('note', note);
  if (main !== undefined) text += example(main.host, main.port);
  return `${text}\nCtrl-C stops it.\n`;
}

function example(host: string, port: number): string {
  const commands = 'set greeting 0 60 5\\r\\nhello\\r\\nget greeting\\r\\nquit\\r\\n';
  return (
    '\nTry it:\n\n' +
    `  printf '${commands}' | nc ${host} ${port}\n\n` +
    'or, without nc:\n\n' +
    `  node -e "require('net').connect(${port},'${host}',function(){this.write('${commands}')}).pipe(process.stdout)"\n`
  );
}
