/** The parts of the process platform that are plain functions, as tables. */
import { type InstanceSpecInput, instanceSpec } from '@kalnet/contracts/instance'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { freePiece, routesIn, takenBy } from '../pieces.ts'
import { freeAccount, parseSubordinates } from './accounts.ts'
import { blockedRanges, connectedRanges, contains, SPECIAL_RANGES, toAddress, toNumber } from './blocked.ts'
import { createLayout } from './layout.ts'
import { filterRules } from './network-root.ts'
import { pastaCommand } from './network-user.ts'
import { parseStat } from './processes.ts'
import { MOUNTED, readStatus, sandboxArguments, sandboxCommand } from './sandbox.ts'

const spec = (changes: Partial<InstanceSpecInput> = {}) =>
  instanceSpec.parse({ image: { reference: 'none' }, command: ['program', '--flag'], ...changes })
const sandbox = (changes: Partial<InstanceSpecInput> = {}, network: 'none' | 'prepared' = 'none') =>
  sandboxArguments({
    spec: spec(changes),
    hostname: 'kalnet-x',
    network,
    hasResolver: true,
    hasHosts: true,
    root: { first: ['--ro-bind', MOUNTED.root, '/'], last: [] },
    sources: MOUNTED,
  })

describe('the sandbox', () => {
  test('[CTL-6.sandbox] every namespace is its own, the root is read only, the environment is empty but for ours', () => {
    const all = sandbox({ environment: { GREETING: 'hello $(id)' } }).join(' ')
    for (const part of [
      '--unshare-user --uid 1000 --gid 1000 --disable-userns',
      '--unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try',
      '--unshare-net',
      '--new-session --clearenv',
      '--ro-bind /mnt/root /',
      '--setenv GREETING hello $(id)',
    ])
      expect(all).toContain(part)
    expect(all).not.toMatch(/--die-with-parent|--dev-bind|--share-net/)
  })
  test('[CTL-6.network-prepared] with a prepared network the sandbox makes none of its own', () => {
    expect(sandbox({}, 'prepared')).not.toContain('--unshare-net')
  })
  test('[CTL-6.no-shell] the command stays a list of words, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (command) => {
        const line = sandboxCommand({ ...spec(), command })
        expect(line.slice(line.indexOf('--') + 1)).toEqual(command)
      }),
    )
  })
  test.each([
    ['', { childPid: null, exitCode: null }],
    ['{ "child-pid": 17, "ipc-namespace": 4026532184 }\n', { childPid: 17, exitCode: null }],
    ['{ "child-pid": 17 }\n{ "exit-code": 3 }\n', { childPid: 17, exitCode: 3 }],
    ['{ "child-pid": 17 }\n{ "exit-co', { childPid: 17, exitCode: null }],
  ])('[SES-1.status-file] what bubblewrap wrote so far: %j', (text, answer) => {
    expect(readStatus(text)).toEqual(answer)
  })
})

test('[CTL-4.start-time] a process name with brackets and spaces does not shift the fields', () => {
  const text = `42 (a) b (c)) S 7 ${Array.from({ length: 17 }, (_, index) => index).join(' ')} 991 1 2`
  expect(parseStat(text)).toEqual({ pid: 42, parent: 7, state: 'S', startTime: 991 })
})

describe('user numbers', () => {
  test("[CTL-6.accounts] the lowest free one that is nobody else's", () => {
    expect(freeAccount(new Set(), [])).toBe(200_000)
    expect(freeAccount(new Set([200_000, 200_001]), [])).toBe(200_002)
    const reserved = parseSubordinates('anna:165536:65536\nbert:231072:65536\n')
    expect(freeAccount(new Set([296_608]), reserved)).toBe(296_609)
  })
})

describe('addresses', () => {
  test('[CTL-6.ranges] numbers and addresses are the same thing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (number) => {
        expect(toNumber(toAddress(number))).toBe(number)
      }),
    )
  })
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '192.168.1.1',
    '224.0.0.251',
    '100.64.0.1',
    '0.0.0.0',
  ])('[CTL-6.ranges] %s is blocked', (address) => {
    expect(SPECIAL_RANGES.some((it) => contains(it, address))).toBe(true)
  })
  test('[CTL-6.lan] the networks the machine is in are blocked whatever their numbers', () => {
    const it = {
      address: '203.0.113.70',
      netmask: '',
      family: 'IPv4',
      mac: '',
      internal: false,
      cidr: '203.0.113.70/26',
    } as const
    const connected = connectedRanges({ eth0: [it] })
    expect(connected).toEqual(['203.0.113.64/26'])
    expect(blockedRanges(connected)).toContain('203.0.113.64/26')
  })
  test('[CTL-6.pieces] a piece never overlaps a route that is there', () => {
    const range = '10.213.0.0/16'
    expect(freePiece(range, 30, ['10.213.0.0/30'], () => 0)).toBe('10.213.0.4')
    expect(freePiece(range, 30, ['10.213.0.0/17'], () => 0)).toBe('10.213.128.0')
    expect(freePiece(range, 29, ['10.213.0.8', '10.213.0.0/30'], () => 0)).toBe('10.213.0.16')
    expect(freePiece('10.213.200.0/28', 29, ['10.213.192.0/29'], () => 0.99)).toBe('10.213.200.8')
    expect(() => freePiece(range, 30, ['10.0.0.0/8'])).toThrow(/taken/)
    const printed = [
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'eth0\t0000D60A\t00000000\t0001\t0\t0\t0\tF8FFFFFF\t0\t0\t0',
      '',
    ]
    expect(takenBy(routesIn(printed.join('\n')))).toEqual(['10.214.0.0/29'])
    expect(() => freePiece('10.1.0.0/29', 29, ['10.1.0.4/32'])).toThrow(/10\.1\.0\.0\/29/)
  })
})

test('[CTL-6.filter] answers come in, nothing else does; what is blocked comes before what is allowed', () => {
  const rules = filterRules(
    { forward: 'F', input: 'I', nat: 'N' },
    { all: 'kn+', local: 'knl+' },
    ['10.0.0.0/8'],
    ['10.9.9.9'],
  ).split('\n')
  const at = (part: string, from = 0) => rules.findIndex((it, index) => index >= from && it.includes(part))
  expect(at('ESTABLISHED')).toBeLessThan(at('-o kn+ -j DROP'))
  expect(at('10.9.9.9/32 -p udp --dport 53')).toBeLessThan(at('-d 10.0.0.0/8 -j REJECT'))
  expect(at('-d 10.0.0.0/8 -j REJECT')).toBeLessThan(at('-A F -j ACCEPT'))
  expect(at('-o kn+ -j DROP')).toBeLessThan(at('-A F -i knl+ -p tcp -j REJECT'))
  expect(at('-A F -i knl+ -j REJECT')).toBeLessThan(at('-j ACCEPT', at('-o kn+ -j DROP')))
  // This machine hears the answers to what it asked, and only those.
  const input = rules.filter((it) => it.startsWith('-A I'))
  expect(input[0]).toBe('-A I -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j ACCEPT')
  expect(input.slice(1).every((it) => it.includes('-j REJECT'))).toBe(true)
  expect(rules.some((it) => /^-A (FORWARD|INPUT|OUTPUT|POSTROUTING)/.test(it))).toBe(false)
})

test("[CTL-6.pasta] an ordinary user's network forwards nothing in and does not map the host", () => {
  const line = pastaCommand(['10.0.0.0/8']).join(' ')
  expect(line).toContain('--no-map-gw')
  expect(line).toContain('-t none -u none -T none -U none')
  expect(line).toMatch(/inside-pasta\.sh 10\.0\.0\.0\/8 --$/)
})

test("[CTL-6.names] names fit the kernel's limits and differ between installations", () => {
  const id = '01890000-0000-7000-8000-000000000001'
  const of = (data: string) => createLayout({ data, runtime: '/run/kalnet', config: '/etc/kalnet' }).of(id)
  expect(of('/var/lib/kalnet').networkDevice.length).toBeLessThanOrEqual(15)
  expect(of('/var/lib/kalnet').name).not.toBe(of('/srv/other').name)
  expect(`${of('/var/lib/kalnet').run}/display.sock`.length).toBeLessThan(107)
})
