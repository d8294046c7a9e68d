/** A new address is judged where it is written, and becomes what the gateway matches by. */
import { match } from '@kalnet/contracts/gateway'
import { describe, expect, test } from 'vitest'
import { EMPTY, matchOf, type NewRoute, problemsOf } from './new-route.ts'

describe('[DSH-1.routes] a new address', () => {
  test.each<[string, Partial<NewRoute>, string[]]>([
    ['nothing', {}, ['host']],
    ['a name', { host: 'Photos.Example.org' }, []],
    ['a scheme', { host: 'https://photos.example.org' }, ['host']],
    ['a path that climbs', { host: 'a.b', path: '/x/../y' }, ['path']],
    ['no port to listen on', { kind: 'tcp' }, ['listen']],
    ['too high a port', { kind: 'udp', listen: '70000' }, ['listen']],
    ['a port by a name', { kind: 'tcp', listen: '5432', sni: 'db.home' }, []],
    ['a port of the service that cannot be', { host: 'a.b', port: 'Web 1' }, ['port']],
  ])('%s', (_, change, wrong) => {
    const form = { ...EMPTY, ...change }
    expect(Object.keys(problemsOf(form))).toEqual(wrong)
    // What passes here passes there.
    if (wrong.length === 0) expect(match.safeParse(matchOf(form)).success).toBe(true)
  })
})
