/** What the engine is told and what it says back, as tables; no engine is needed. */
import { config } from '@kalnet/contracts/config'
import { instanceSpec } from '@kalnet/contracts/instance'
import type { ContainerInspectInfo } from 'dockerode'
import { describe, expect, test } from 'vitest'
import { containerName, createOptions, handleFrom } from './container.ts'
import { negotiated } from './engine.ts'
import { bridgePrefix, bridgeRules } from './filter.ts'
import { createDockerLayout } from './layout.ts'
import { bridgeName } from './network.ts'
import { type Line, logLines, mergeLines, observationOf } from './observation.ts'
import { addressesAt, portsOf, wayTo } from './ports.ts'
import { type EngineFigures, readingOf } from './used.ts'

const id = '01890000-0000-7000-8000-000000000001'
const spec = instanceSpec.parse({
  image: { reference: 'somebody/else:1' },
  command: ['/usr/lib/kalnet/session', 'xterm', '; rm -rf $HOME'],
  environment: { START_URL: 'https://example.org/?a=$(id)' },
  ports: [{ name: 'display', kind: 'display', at: { unix: '/run/kalnet/display.sock' } }],
  resources: { cpus: 0.5, memoryBytes: 64 * 2 ** 20, processes: 32, sharedMemoryBytes: 0 },
})
const request = { instanceId: id, generation: 3, organisationId: id, spec }
const paths = { home: '/d/home', passwd: '/d/passwd', group: '/d/group', run: '/r/d/1', given: '/r/h/1' }
const around = {
  installation: 'abc',
  image: 'kalnet/x:1',
  uid: 1000,
  network: null,
  resolvers: [],
  paths,
  folderOf: (it: string) => `/d/volumes/${it}/data`,
}

describe('a container', () => {
  test('[CTL-6.docker-confined] is read-only, without rights, limited, and gets its words as they are', () => {
    const options = createOptions(request, around)
    expect(options.Cmd).toEqual(spec.command)
    expect(options.Entrypoint).toEqual([])
    expect(options.Env).toContain('START_URL=https://example.org/?a=$(id)')
    expect(options.User).toBe('1000:1000')
    expect(options.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      NetworkMode: 'none',
      Memory: 64 * 2 ** 20,
      MemorySwap: 64 * 2 ** 20,
      NanoCpus: 500_000_000,
      PidsLimit: 32,
      RestartPolicy: { Name: 'no' },
    })
    const targets = options.HostConfig?.Mounts?.map((it) => [it.Source, it.Target])
    expect(targets).toEqual([
      ['/r/d/1', '/run/kalnet'],
      ['/d/home', '/home/user'],
    ])
  })

  test('[CTL-6.docker-command] without a command the image says its own; volumes, files and links are told', () => {
    const options = createOptions(
      {
        ...request,
        spec: instanceSpec.parse({
          image: { reference: 'somebody/else:1' },
          command: [],
          volumes: [{ id, name: 'data', at: '/data', readOnly: true }],
          files: [{ name: 'a', content: '' }],
          identity: true,
          links: [
            { name: 'db', port: 5432 },
            { name: 'cache', port: 6379 },
          ],
        }),
      },
      around,
    )
    expect(options.Entrypoint).toBeUndefined()
    expect(options.Cmd).toBeUndefined()
    expect(options.HostConfig?.ExtraHosts).toEqual(['db:127.0.0.2', 'cache:127.0.0.3'])
    const mounts = options.HostConfig?.Mounts?.map((it) => [it.Source, it.Target, it.ReadOnly])
    expect(mounts?.slice(2)).toEqual([
      ['/r/h/1/files', '/run/kalnet/files', true],
      ['/r/h/1/identity', '/run/kalnet/identity', true],
      [`/d/volumes/${id}/data`, '/data', true],
    ])
  })

  test('another number than the image knows gets a name put over it', () => {
    const targets = createOptions(request, { ...around, uid: 1234 }).HostConfig?.Mounts?.map(
      (it) => it.Target,
    )
    expect(targets).toContain('/etc/passwd')
    expect(targets).toContain('/etc/group')
  })

  test('[CTL-4.docker-labels] its labels lead back to the same handle', () => {
    const options = createOptions(request, around)
    expect(handleFrom('c1', options.Labels ?? {})).toEqual({
      platform: 'docker',
      instanceId: id,
      generation: 3,
      data: { container: 'c1', 'port.display': 'display.sock' },
    })
    expect(options.name).toBe(containerName(id, 3))
    expect(handleFrom('c1', {})).toBeNull()
    expect(handleFrom('c1', { 'io.kalnet.instance': id, 'io.kalnet.generation': 'x' })).toBeNull()
  })

  test('[STR-1.docker-ports] a socket or a TCP port leads back to itself; who cannot enter a container is told so', () => {
    const web = instanceSpec.parse({ ...spec, ports: [{ name: 'web', kind: 'http', at: { tcp: 80 } }] })
    expect(portsOf(web, true)).toEqual({ web: 80 })
    expect(() => portsOf(web, false)).toThrow(/only root can reach the TCP port web/)
    expect(portsOf(spec, false)).toEqual({ display: 'display.sock' })
    const ports = [
      { name: 'web', kind: 'http', at: { tcp: 80 } },
      { name: 'game', kind: 'udp', at: { udp: 30000 } },
      { name: 'screen', kind: 'display', at: { tcp: 5900 } },
      { name: 'own', kind: 'tcp', at: { unix: '/run/kalnet/own.sock' } },
    ] as const
    const several = instanceSpec.parse({ ...spec, ports })
    const options = createOptions({ ...request, spec: several }, around)
    const handle = handleFrom('c1', options.Labels ?? {})!
    expect(ports.map(({ name }) => wayTo(handle, name))).toEqual([
      { tcp: 80, isDisplay: false },
      { udp: 30000 },
      { tcp: 5900, isDisplay: true },
      { unix: 'own.sock' },
    ])
    expect(addressesAt('10.214.0.2', handle)).toEqual({
      web: { host: '10.214.0.2', port: 80 },
      game: { host: '10.214.0.2', port: 30000 },
    })
    expect(addressesAt(undefined, handle)).toEqual({})
  })
})

describe('the engine', () => {
  test.each([
    ['1.41', '1.41'],
    ['1.51', '1.51'],
    ['1.52', '1.51'],
    ['2.0', '1.51'],
    ['1.9', '1.9'],
  ])('of version %s is spoken to in %s', (engine, ours) => {
    expect(negotiated(engine)).toBe(ours)
  })

  const state = (changes: Partial<ContainerInspectInfo['State']>) =>
    ({
      Running: false,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-01-02T03:04:05.123456789Z',
      FinishedAt: '2026-01-02T03:05:05.123456789Z',
      ...changes,
    }) as ContainerInspectInfo['State']

  test.each([
    [{ Running: true }, { state: 'running', startedAt: '2026-01-02T03:04:05.123Z' }],
    [{ ExitCode: 0 }, { state: 'ended', code: 0, reason: 'Its program ended' }],
    [{ ExitCode: 3 }, { state: 'ended', code: 3, reason: 'Its program ended with code 3' }],
    [{ ExitCode: 137 }, { state: 'ended', code: 137, reason: 'It was killed from outside (signal 9)' }],
    [
      { ExitCode: 137, OOMKilled: true },
      { state: 'ended', reason: 'It ran out of memory' },
    ],
    [{ ExitCode: 255 }, { state: 'ended', reason: 'It ended together with the container engine' }],
    [{ FinishedAt: '0001-01-01T00:00:00Z' }, { state: 'ended', reason: 'It was created but never started' }],
  ])('says %j', (changes, expected) => {
    expect(observationOf(state(changes))).toMatchObject(expected)
  })
})

describe('[CTL-4.use] what the engine counts of a container', () => {
  test.each<[string, EngineFigures, object | null]>([
    [
      'version 2 of control groups',
      {
        cpu_stats: { cpu_usage: { total_usage: 2_500_000_000 } },
        memory_stats: { usage: 1000, stats: { inactive_file: 300 } },
      },
      { cpuSeconds: 2.5, memoryBytes: 700 },
    ],
    [
      'version 1: with what is below it',
      {
        cpu_stats: { cpu_usage: { total_usage: 0 } },
        memory_stats: { usage: 1000, stats: { inactive_file: 1, total_inactive_file: 400 } },
      },
      { cpuSeconds: 0, memoryBytes: 600 },
    ],
    ['one that does not run', { cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {} }, null],
    ['an engine that says nothing', {}, null],
  ])('%s', (_, figures, reading) => {
    expect(readingOf(figures)).toEqual(reading)
  })
})

describe('log lines', () => {
  const frame = (stream: number, text: string) => {
    const head = Buffer.alloc(8)
    head[0] = stream
    head.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([head, Buffer.from(text)])
  }
  test('frames are put together, also those that cut a line', () => {
    const raw = Buffer.concat([
      frame(1, '2026-01-01T00:00:00.1Z hel'),
      frame(1, 'lo\r\n2026-01-01T00:00:00.2Z wörld\n'),
    ])
    expect(logLines(raw).map((it) => it.text)).toEqual(['hello', 'wörld'])
    expect(logLines(Buffer.from([1, 0, 0]))).toEqual([])
  })
  test('both outputs are merged by time, and a complaint is not crowded out', () => {
    const of = (from: Line['from']) => (_: unknown, index: number) => ({
      from,
      at: `2${index}`,
      text: `line ${index}`,
    })
    const output = Array.from({ length: 10 }, of('output'))
    const problem: Line = { from: 'errors', at: '10', text: 'problem' }
    expect(mergeLines([...output, problem], 4)).toEqual(['problem', 'line 7', 'line 8', 'line 9'])
    expect(mergeLines([problem], 4)).toEqual(['problem'])
    expect(mergeLines(output, 2)).toEqual(['line 8', 'line 9'])
    expect(mergeLines([...output, ...Array.from({ length: 10 }, of('errors'))], 1)).toHaveLength(1)
  })
})

test('[CTL-6.docker-filter] DNS first, then every private range, and nothing reaches this machine itself', () => {
  const rules = bridgeRules(
    { forward: 'F', input: 'I' },
    'kall+',
    ['10.0.0.0/8', '192.168.0.0/16'],
    ['192.168.1.1'],
  )
  expect(rules.split('\n')).toEqual([
    '*filter',
    ':F - [0:0]',
    ':I - [0:0]',
    '-A F -i kall+ -j REJECT --reject-with icmp-admin-prohibited',
    '-A F -d 192.168.1.1/32 -p udp --dport 53 -j RETURN',
    '-A F -d 192.168.1.1/32 -p tcp --dport 53 -j RETURN',
    '-A F -d 10.0.0.0/8 -j REJECT --reject-with icmp-admin-prohibited',
    '-A F -d 192.168.0.0/16 -j REJECT --reject-with icmp-admin-prohibited',
    '-A F -j RETURN',
    '-A I -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j ACCEPT',
    '-A I -j DROP',
    'COMMIT',
    '',
  ])
})

test("[CTL-6.docker-names] a bridge's name fits the kernel's limit and is in the filter of its installation alone", () => {
  const of = (data: string) =>
    createDockerLayout({ data, runtime: '/run/kalnet', config: '/etc/kalnet' }).installation
  const [one, other] = [of('/var/lib/kalnet'), of('/srv/other')]
  const names = [
    bridgeName(one, containerName(id, 1)),
    bridgeName(one, containerName(id, 2)),
    bridgeName(one, containerName(id, 1), 'local'),
  ]
  expect(new Set(names).size).toBe(3)
  expect(names.filter((it) => it.startsWith(bridgePrefix(one, 'local')))).toEqual([names[2]])
  for (const name of names) {
    expect(name).toHaveLength(15)
    expect(name.startsWith(bridgePrefix(one))).toBe(true)
    expect(name.startsWith(bridgePrefix(other))).toBe(false)
  }
})

test.each([
  ['10.214.0.0/16', true],
  ['172.31.8.0/24', true],
  ['192.168.200.0/26', true],
  ['172.32.0.0/16', false],
  ['8.8.0.0/16', false],
  ['10.0.0.0/8', false],
  ['10.300.0.0/16', false],
  ['10.1.0.0/29', false],
])('[CTL-6.docker-range] networks may be cut from %s: %s', (networks, expected) => {
  expect(config.safeParse({ docker: { networks } }).success).toBe(expected)
})
