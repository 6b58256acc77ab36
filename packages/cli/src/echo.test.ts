/** `larder echo` as a user runs it: a server and a load for each other, and what they say when something is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SERIALIZERS } from '@larder/echo/serializer-list';
import { Command, larder, MAIN } from './testing/command.ts';

const ECHOING = /echoing (\S+) on 127\.0\.0\.1:(\d+) \(TCP and UDP, \w+\)/;
/** Makes Node find no package of this name, as where it is not installed. */
const HIDE_FLATBUFFERS = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    return next(specifier === 'flatbuffers' ? 'flatbuffers-not-installed' : specifier, context);
  },
});`)}`;

test('a server of each kind that users compare, and a load that finds its answers right', async () => {
  const servers = ['larder', 'protobufjs', 'json'].map((name) => ({
    name,
    server: larder('echo', '--serializer', name),
  }));
  for (const { name, server } of servers) {
    const [, serializer, port] = await server.until(ECHOING);
    assert.equal(serializer, name);
    const target = ['echo', '--load', `127.0.0.1:${port}`, '--serializer', name, '--seconds', '0.2'];
    const streams = larder(...target, '--size', '1k', '--fields', '3', '--in-flight', '4');
    const datagrams = larder(...target, '--udp', '--size', '100', '--levels', '2', '--json');
    assert.equal(await streams.exit, 0, streams.errors);
    assert.match(streams.output, new RegExp(`^${name}, messages of [\\d,]+ bytes, tcp`));
    assert.match(streams.output, /requests\/s +[\d,]+ [\s\S]*p99 \d+\.\d+ ms[\s\S]*[\d,]+ right, 0 wrong/);
    assert.equal(await datagrams.exit, 0, datagrams.errors);
    const result = JSON.parse(datagrams.output) as Record<string, unknown>;
    assert.deepEqual([result.serializer, result.protocol, result.wrong], [name, 'udp', 0]);
    assert.ok((result.requestsPerSecond as number) > 0);
    server.child.kill('SIGTERM');
    assert.equal(await server.exit, 0);
    assert.match(server.output, /\n\d+ messages echoed, 0 refused\n$/);
  }
});

test('a load of another serializer is told so; the server counts it and goes on', async () => {
  const server = larder('echo', '-p', '0', '--serializer', 'msgpackr');
  const [, , port] = await server.until(ECHOING);
  const wrong = larder('echo', '--load', `127.0.0.1:${port}`, '--serializer', 'json');
  assert.equal(await wrong.exit, 1);
  assert.match(wrong.errors, /^larder: 127\.0\.0\.1:\d+ closed a connection .*--serializer\?\n$/);
  server.child.kill('SIGINT');
  assert.equal(await server.exit, 0);
  assert.match(server.output, /0 messages echoed, 1 refused/);
});

test('help lists the serializers; unknown ones and flags that do not fit are usage errors', async () => {
  const [help, unknown, noLoad, noServer, noPort, number] = [
    larder('echo', '--help'),
    larder('echo', '--serializer', 'xml'),
    larder('echo', '--size', '10'),
    larder('echo', '--load', '127.0.0.1:1', '-p', '2'),
    larder('echo', '--load', '127.0.0.1'),
    larder('echo', '--load', '127.0.0.1:1', '--in-flight', '0'),
  ];
  assert.equal(await help.exit, 0);
  for (const { name, package: needed } of SERIALIZERS) {
    assert.match(
      help.output,
      new RegExp(`^  ${name} .*${needed === undefined ? '' : `npm install ${needed}`}`, 'm'),
    );
  }
  for (const failed of [unknown, noLoad, noServer, noPort, number]) {
    assert.equal(await failed.exit, 2);
    assert.ok(!failed.errors.includes('    at '), failed.errors);
  }
  assert.match(unknown.errors, /'xml' is invalid. Allowed choices are larder, .*none/);
  assert.match(noLoad.errors, /--size is for --load/);
  assert.match(noServer.errors, /-p\/--port is for the server/);
  assert.match(noPort.errors, /--load: "127\.0\.0\.1" is not one address with its port/);
  assert.match(number.errors, /--in-flight: 0 is not a whole number from 1/);
});

test('a serializer whose library is not installed says how to install it', async () => {
  const [server, load] = [['echo'], ['echo', '--load', '127.0.0.1:1']].map(
    (args) =>
      new Command(process.execPath, [
        '--import',
        HIDE_FLATBUFFERS,
        '-C',
        'larder-source',
        MAIN,
        ...args,
        '--serializer',
        'flatbuffers',
      ]),
  );
  for (const command of [server!, load!]) {
    assert.equal(await command.exit, 1);
    assert.match(
      command.errors,
      /^larder: the serializer flatbuffers needs a package that is not installed: npm install flatbuffers@\d+\.\d+\.\d+\n$/,
    );
  }
});
