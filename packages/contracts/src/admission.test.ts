/** What may never run, as a table; everything else may. */
import { describe, expect, it } from 'vitest'
import { admissionProblems } from './admission.ts'
import { type InstanceSpecInput, instanceSpec } from './instance.ts'

const id = '01890000-0000-7000-8000-000000000001'
const web = { name: 'web', kind: 'http', at: { tcp: 80 } } as const
const game = { name: 'game', kind: 'udp', at: { udp: 30_000 } } as const
const at = (place: string, name = 'data') => ({ id, name, at: place })
const probe = (port: string) => ({ kind: 'tcp', port }) as const

const judged = (changes: Partial<InstanceSpecInput>) =>
  admissionProblems(instanceSpec.parse({ image: { reference: 'some/body:1' }, command: [], ...changes }))

describe('[CTL-6.admission] a spec', () => {
  it.each<[string, Partial<InstanceSpecInput>]>([
    ['of nothing but an image', {}],
    [
      'with volumes, one in the other, and in its home',
      { volumes: [at('/data'), at('/data/deep', 'deep'), at('/home/user/x', 'x')] },
    ],
    [
      'with a volume beside what is refused',
      { volumes: [at('/var/lib/postgresql'), at('/srv', 'srv'), at('/opt/usr', 'usr')] },
    ],
    [
      'with links to one port number',
      {
        links: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      },
    ],
    ['that waits for and asks its own port', { ports: [web], ready: { port: 'web' }, probe: probe('web') }],
    ['whose probe asks no port', { probe: { kind: 'command', command: ['true'] } }],
  ])('%s is admitted', (_name, changes) => {
    expect(judged(changes)).toEqual([])
  })

  it.each<[string, Partial<InstanceSpecInput>, RegExp]>([
    ['what no instance is given', { wants: ['docker-socket'] }, /docker socket/],
    ['a library before all others', { environment: { LD_PRELOAD: '/x' } }, /LD_PRELOAD/],
    ['a variable of ours', { environment: { KALNET_HOME: '/x' } }, /KALNET_HOME/],
    ['a recipe without a command', { image: { recipe: [{ name: 'base' }] } }, /no command/],
    ['a volume over everything', { volumes: [at('/')] }, /would cover \//],
    ['a volume over everything, said otherwise', { volumes: [at('//')] }, /would cover/],
    ['a volume over the programs', { volumes: [at('/usr/local')] }, /would cover/],
    ['a volume over the libraries', { volumes: [at('//lib64')] }, /would cover/],
    ['a volume over what is shared with us', { volumes: [at('/run/kalnet')] }, /would cover/],
    ['a volume over the kernel', { volumes: [at('/proc/sys')] }, /would cover/],
    ['a volume that climbs', { volumes: [at('/data/../etc')] }, /would cover/],
    ['two volumes of one name', { volumes: [at('/a'), at('/b')] }, /two of its volumes/],
    ['two volumes in one place', { volumes: [at('/a'), at('/a/', 'b')] }, /in one place/],
    [
      'two files of one name',
      {
        files: [
          { name: 'a', content: '' },
          { name: 'a', content: 'x' },
        ],
      },
      /two of its files/,
    ],
    [
      'two links of one name',
      {
        links: [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
      },
      /two of its links/,
    ],
    ['a link that is its own name', { links: [{ name: 'localhost', port: 1 }] }, /localhost/],
    ['two ports of one name', { ports: [web, { ...game, name: 'web' }] }, /two of its ports/],
    [
      'a probe of no port',
      { ports: [web], probe: probe('game') },
      /probe asks the port game, which it does not have/,
    ],
    ['a probe of a port for packets', { ports: [game], probe: probe('game') }, /takes no connections/],
    ['waiting for no port', { ready: { port: 'web' } }, /waits for the port web, which it does not have/],
    ['a zero byte', { command: ['a\0b'] }, /zero byte/],
    ['a working folder that climbs', { workdir: '/home/../etc' }, /climbs out/],
  ])('with %s is refused', (_name, changes, words) => {
    expect(judged(changes).join('; ')).toMatch(words)
  })
})
