/** Firewall rules from routes: who may come to which port, and what is never touched. */
import { config as configSchema } from '@kalnet/contracts/config'
import type { GatewayRoute } from '@kalnet/contracts/gateway'
import { expect, test } from 'vitest'
import { nftables } from './nftables.ts'
import { firewallRules } from './rules.ts'
import { ufwRules, ufwText } from './ufw.ts'

type Given = Pick<GatewayRoute, 'match' | 'exposure' | 'serviceName'>
const web = (exposure: Given['exposure'], host = 'a.home'): Given => ({
  match: { kind: 'http', host, pathPrefix: '/', strip: false },
  exposure,
  serviceName: 'a',
})
const port = (kind: 'tcp' | 'udp', listen: number, exposure: Given['exposure']): Given => ({
  match: kind === 'tcp' ? { kind, listen, sni: null } : { kind, listen },
  exposure,
  serviceName: 'game',
})
const rulesOf = (given: object, routes: Given[]) =>
  firewallRules(configSchema.parse(given), routes).map((it) => `${it.protocol} ${it.port} ${it.exposure}`)
const tls = { tls: { enabled: true } }

test.each([
  ['nothing but Kalnet', {}, [], ['tcp 7400 internal']],
  ['a page for this network', {}, [web('internal')], ['tcp 7400 internal', 'tcp 8080 internal']],
  [
    'a page for everybody',
    { ...tls, gateway: { httpPort: 80, httpsPort: 443 } },
    [web('internal'), web('external', 'b.home')],
    ['tcp 80 external', 'tcp 443 external', 'udp 5353 internal', 'tcp 7400 internal'],
  ],
  [
    'a game and a database',
    {},
    [port('udp', 30000, 'external'), port('tcp', 5432, 'internal')],
    ['tcp 5432 internal', 'tcp 7400 internal', 'udp 30000 external'],
  ],
  [
    'two routes on one port',
    {},
    [port('tcp', 8443, 'internal'), port('tcp', 8443, 'external')],
    ['tcp 7400 internal', 'tcp 8443 external'],
  ],
  ['names', { dns: { enabled: true } }, [], ['tcp 53 internal', 'udp 53 internal', 'tcp 7400 internal']],
  [
    'no gateway here',
    { gateway: { enabled: false } },
    [web('external'), port('tcp', 25, 'external')],
    ['tcp 7400 internal'],
  ],
  ['a route on the port of ssh', {}, [port('tcp', 22, 'internal')], ['tcp 7400 internal']],
])('[SEC-5.rules] %s', (_, config, routes, expected) => {
  expect(rulesOf(config, routes)).toEqual(expected)
})

test('[SEC-5.nftables] one table of our own that lets pass whatever is not ours', () => {
  const text = nftables(firewallRules(configSchema.parse({}), [port('udp', 30000, 'external')]), [
    '2001:db8:7::/64',
    '203.0.113.0/24',
  ])
  expect(text).toContain('table inet kalnet\ndelete table inet kalnet\ntable inet kalnet {')
  expect(text).toContain('policy accept;')
  expect(text).toContain('tcp dport 7400 counter drop comment "Kalnet itself: this network only"')
  expect(text).toContain('udp dport 30000 accept comment "Kalnet game: everywhere"')
  expect(text).toMatch(/home4 \{[^}]*elements = \{ 10\.0\.0\.0\/8[^}]*203\.0\.113\.0\/24 \}/)
  expect(text).toMatch(/home6 \{[^}]*elements = \{ fc00::\/7, fe80::\/10, 2001:db8:7::\/64 \}/)
  expect(text).not.toMatch(/flush ruleset|policy drop|dport 22\b/)
})

test('[SEC-5.ufw] what may come in is named, from where', () => {
  const text = ufwText(ufwRules(firewallRules(configSchema.parse({}), [port('udp', 30000, 'external')])))
  expect(text.split('\n')).toEqual([
    "ufw allow from 10.0.0.0/8 to any port 7400 proto tcp comment 'Kalnet itself'",
    "ufw allow from 172.16.0.0/12 to any port 7400 proto tcp comment 'Kalnet itself'",
    "ufw allow from 192.168.0.0/16 to any port 7400 proto tcp comment 'Kalnet itself'",
    "ufw allow from 169.254.0.0/16 to any port 7400 proto tcp comment 'Kalnet itself'",
    "ufw allow from fc00::/7 to any port 7400 proto tcp comment 'Kalnet itself'",
    "ufw allow from fe80::/10 to any port 7400 proto tcp comment 'Kalnet itself'",
    "ufw allow from any to any port 30000 proto udp comment 'Kalnet game'",
    '',
  ])
})
