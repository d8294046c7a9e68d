import { readFile } from 'node:fs/promises'
import { config } from '@kalnet/contracts/config'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { renderAll } from '../commands/render.ts'
import { configSchema } from '../config-example.ts'
import { variables } from './environment.ts'

const files = renderAll({
  open: [
    { kind: 'tcp', port: 1445 },
    { kind: 'udp', port: 30_000 },
  ],
  dynamic: null,
})
interface Compose {
  services: Record<
    string,
    {
      healthcheck?: object
      restart?: string
      deploy?: object
      networks?: string[]
      privileged?: boolean
      ports?: string[]
      command?: string[]
    }
  >
  networks: Record<string, { internal?: boolean }>
}
const compose = (name: string) => parse(files[name] ?? '') as Compose

describe('[NET-7.environment] .env.example', () => {
  it('has every setting of the schema, each once, with its meaning', () => {
    const names = variables().map((it) => it.name)
    expect(new Set(names).size).toBe(names.length)
    const count = (node: { properties?: Record<string, object> }): number =>
      Object.values(node.properties ?? {}).reduce(
        (sum, child) =>
          sum + ('properties' in child ? count(child as { properties: Record<string, object> }) : 1),
        0,
      )
    expect(names.length).toBe(count(configSchema() as { properties: Record<string, object> }) + 5)
    for (const { name, meaning } of variables()) expect(meaning.length, name).toBeGreaterThan(10)
    expect(names).toEqual(
      expect.arrayContaining(['KALNET_LISTEN_PORT', 'KALNET_SESSIONS_PER_USER', 'KALNET_DOMAIN']),
    )
  })
  it('says what each is when nothing is said', () => {
    expect(files['.env.example']).toContain(`#KALNET_LISTEN_PORT=${config.parse({}).listen.port}\n`)
    expect(files['.env.example']).not.toMatch(/^KALNET_/m)
  })
})

describe('[NET-7.compose] compose files', () => {
  it.each(['docker-compose.yml', 'docker-compose.prod.yml'])(
    '%s: limits, health and restart for each, the database apart',
    (name) => {
      const { services, networks } = compose(name)
      for (const [service, it] of Object.entries(services)) {
        expect(it.restart, service).toBe('unless-stopped')
        expect(it.deploy, service).toMatchObject({ resources: { limits: { memory: expect.any(String) } } })
        if (service !== 'controller') expect(it.healthcheck, service).toBeDefined()
        expect(it.privileged, service).toBeUndefined()
      }
      expect(networks.data?.internal).toBe(true)
      expect(services.postgres?.networks).toEqual(['data'])
      expect(services.postgres?.ports).toBeUndefined()
    },
  )
  it('in production people come in through Traefik alone', () => {
    const { services } = compose('docker-compose.prod.yml')
    expect(services['control-plane']?.ports).toEqual(['127.0.0.1:7400:7400'])
    expect(services.traefik?.command).toEqual(
      expect.arrayContaining([
        '--entryPoints.tcp-1445.address=:1445',
        '--entryPoints.udp-30000.address=:30000/udp',
      ]),
    )
    expect(compose('docker-compose.yml').services.traefik).toBeUndefined()
  })
  it('no secret stands in them', () => {
    for (const [name, text] of Object.entries(files))
      expect(text, name).not.toMatch(/kal_[\w-]+_|password: [^$]/i)
  })
})

it('[NET-7.kept] what lies in deploy/compose is what is rendered', async () => {
  const made = renderAll({ open: [], dynamic: null })
  for (const [name, text] of Object.entries(made))
    expect(await readFile(new URL(`../../../../deploy/compose/${name}`, import.meta.url), 'utf8'), name).toBe(
      text,
    )
})
