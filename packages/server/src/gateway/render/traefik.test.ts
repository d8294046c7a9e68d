import { expect, it } from 'vitest'
import { idOf, routeOf, snapshotOf } from '../engine/testing/bench.ts'
import { renderTraefik } from './traefik.ts'

const rendered = (exposure: 'internal' | 'external') =>
  renderTraefik(
    snapshotOf(
      [
        routeOf({ id: idOf(1), exposure }),
        routeOf({ id: idOf(2), exposure, match: { kind: 'tcp', listen: 1445 } }),
        routeOf({ id: idOf(3), exposure, match: { kind: 'udp', listen: 30_000 } }),
      ],
      [],
    ),
    {
      entryPoints: { web: 'web', secure: 'websecure' },
      resolver: 'letsencrypt',
      forwardAuth: 'https://127.0.0.1:7400/api/forward-auth',
      own: {
        hosts: ['localhost', 'kalnet.localhost', 'attic', 'home.example.org'],
        url: 'https://127.0.0.1:7400',
      },
      dashboardHost: 'traefik.home.example.org',
      trust: 'loopback',
      reach: () => null,
    },
  )

it('[NET-2.near] what is for this network alone is not there for others, before anything else is asked', () => {
  const { config, notes } = rendered('internal')
  const [first = ''] = config.http.routers?.[`photos-${idOf(1)}`]?.middlewares ?? []
  expect(config.http.middlewares?.[first]).toMatchObject({
    ipAllowList: {
      sourceRange: expect.arrayContaining(['192.168.0.0/16', 'fc00::/7']),
      rejectStatusCode: 404,
    },
  })
  expect(config.tcp?.routers[`photos-${idOf(2)}`]).toMatchObject({ middlewares: ['near'] })
  expect(config.tcp?.middlewares).toHaveProperty('near')
  expect(notes).toContainEqual({ routeId: idOf(3), note: expect.stringContaining('close the port') })
  const open = rendered('external')
  expect(JSON.stringify(open.config)).not.toContain('ipAllowList')
  expect(open.notes.filter((it) => it.routeId === idOf(3))).toEqual([])
})

it('a certificate is ordered for names that an authority of the internet can know', () => {
  expect(rendered('internal').config.http.routers?.kalnet?.tls).toEqual({
    certResolver: 'letsencrypt',
    domains: [{ main: 'home.example.org', sans: [] }],
  })
})
