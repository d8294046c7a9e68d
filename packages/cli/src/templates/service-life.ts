/** A whole service on one platform without a control plane: its parts in order, linked, asked until they are well, started afresh, taken away. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { InstanceSpec } from '@kalnet/contracts/instance'
import { chainOf } from '@kalnet/contracts/recipe'
import { type Answers, recipesOf, type ServiceTemplate } from '@kalnet/contracts/template'
import { ask } from '@kalnet/controller/health/ask'
import { linkPlaces } from '@kalnet/controller/platforms/links'
import type { Datagrams, Handle, Platform } from '@kalnet/controller/platforms/platform'
import { systemClock } from '@kalnet/io/clock'
import { sampleAnswers } from '@kalnet/server/catalog/lint'
import { resolveService } from '@kalnet/server/catalog/resolve-service'
import { joinStreams, LONG_HALF_MS } from '@kalnet/wire/join'
import type { Bench } from './prove.ts'

const HEALTHY_MS = 120_000
const ASK_AGAIN_MS = 200
const GRACE_MS = 10_000
const BUILD_LIMIT_MS = 45 * 60_000

interface Part {
  name: string
  needs: readonly string[]
  spec: InstanceSpec
  instanceId: string
  links: ServiceTemplate['parts'][number]['links']
}
export interface ServiceRun {
  secrets: Readonly<Record<string, string>>
  /** What requests to it say as their host. */
  host: string
  /** From the order to start, images there, until every part was well. */
  healthyMs: number
  /** A port of its first part. */
  dial(port: string, signal: AbortSignal): Promise<Duplex>
  dialDatagrams(port: string, signal: AbortSignal): Promise<Datagrams>
  /** The next generation of every part, with the same volumes. */
  restart(): Promise<void>
  logs(): Promise<string[]>
  /** Everything of it goes, its data too. */
  close(): Promise<void>
}

export interface ServiceRunOptions {
  answers?: Answers
  openid?: { issuer: string; client: string; secret: string }
  signal: AbortSignal
  report(it: { text: string; share: number }): void
}

/** Those whose needs come before them first. The lint has seen that there is an order. */
function inOrder(parts: readonly Part[]): Part[] {
  const ordered: Part[] = []
  while (ordered.length < parts.length) {
    const there = new Set(ordered.map((it) => it.name))
    const next = parts.find((it) => !there.has(it.name) && it.needs.every((name) => there.has(name)))
    if (!next) throw new Error('its parts need each other in a circle')
    ordered.push(next)
  }
  return ordered
}

const hostOf = ({ id }: ServiceTemplate) => `${id}.localhost`

function partsOf(
  bench: Bench,
  template: ServiceTemplate,
  secrets: Record<string, string>,
  options: ServiceRunOptions,
) {
  const chains = Object.fromEntries(
    recipesOf(template).map((name) => [name, chainOf(name, bench.files.recipes)]),
  )
  const volumes = new Map<string, string>()
  const volumeId = (part: string, volume: string) => {
    const key = `${part}/${volume}`
    const id = volumes.get(key) ?? randomUUID()
    volumes.set(key, id)
    return id
  }
  const { openid } = options
  if (openid) secrets.openid = openid.secret
  const host = hostOf(template)
  const specs = resolveService(
    { template, chains },
    { ...sampleAnswers(template), ...options.answers },
    {
      service: { id: randomUUID(), name: template.id, url: `http://${host}/`, host },
      openid: template.signIn
        ? { issuer: openid?.issuer ?? 'http://localhost/oidc', client: openid?.client ?? 'client' }
        : null,
      secretMark: (name) => {
        secrets[name] ??= randomBytes(24).toString('base64url')
        return secrets[name]
      },
      volumeId,
      dependencies: {},
    },
  )
  const parts = specs.map(({ part, spec }, index): Part => {
    const { needs = [], links = [] } = template.parts[index] ?? {}
    return { name: part, needs, links, spec, instanceId: randomUUID() }
  })
  return { parts, chains, volumes }
}

async function untilWell(platform: Platform, handle: Handle, part: Part, signal: AbortSignal): Promise<void> {
  const until = Date.now() + Math.max(part.spec.ready?.withinMs ?? 0, HEALTHY_MS)
  const { probe } = part.spec
  for (;;) {
    const seen = await platform.observe(handle)
    const said = probe ? await ask({ platform, handle, spec: part.spec, probe }, signal) : null
    if (seen.state === 'running' && (!said || said.verdict === 'fine')) return
    if (seen.state !== 'running' || Date.now() > until) {
      const lines = await platform.logs(handle, 20)
      const why = seen.state === 'ended' ? seen.reason : (said?.detail ?? 'it is not well')
      throw new Error(`${part.name}: ${why}\n${lines.join('\n')}`)
    }
    await systemClock.sleep(ASK_AGAIN_MS, signal)
  }
}

export async function runService(
  bench: Bench,
  template: ServiceTemplate,
  options: ServiceRunOptions,
): Promise<ServiceRun> {
  const { platform, images } = bench
  const secrets: Record<string, string> = {}
  const { parts, chains, volumes } = partsOf(bench, template, secrets, options)
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(BUILD_LIMIT_MS)])
  for (const chain of Object.values(chains)) await images.ensureRoot(chain, limit, options.report)
  const organisationId = randomUUID()
  const handles = new Map<string, Handle>()
  const ended = new AbortController()
  let generation = 0

  function join(part: Part, handle: Handle, signal: AbortSignal) {
    const places = linkPlaces(part.spec.links)
    if (Object.keys(places).length === 0) return Promise.resolve()
    return platform.listenInside?.(
      handle,
      places,
      (name, stream) => {
        const link = part.links.find((it) => it.name === name)
        const target = link?.part === undefined ? undefined : handles.get(link.part)
        const connect = async () => {
          if (!link || !target) throw new Error(`${name} leads nowhere`)
          await joinStreams(stream, await platform.dial(target, link.port, signal), signal, LONG_HALF_MS)
        }
        // Whoever called sees the end of the connection; that is what a service would see as well.
        connect().catch(() => stream.destroy())
      },
      signal,
    )
  }

  async function up(): Promise<number> {
    generation++
    const begin = performance.now()
    for (const part of inOrder(parts)) {
      const { instanceId, spec } = part
      const handle = await platform.ensure(
        { instanceId, generation, organisationId, spec },
        limit,
        () => undefined,
      )
      handles.set(part.name, handle)
      await join(part, handle, ended.signal)
      await untilWell(platform, handle, part, limit)
    }
    return Math.round(performance.now() - begin)
  }
  const down = async () => {
    for (const part of inOrder(parts).reverse()) {
      const handle = handles.get(part.name)
      if (handle) await platform.stop(handle, GRACE_MS)
    }
  }
  const close = async () => {
    await down()
    ended.abort(new Error('the service is taken away'))
    for (const handle of handles.values()) await platform.remove(handle)
    for (const id of volumes.values()) await platform.removeVolume?.(id)
  }
  const first = () => {
    const handle = handles.get(parts[0]?.name ?? '')
    if (!handle) throw new Error('the service does not run')
    return handle
  }
  try {
    const healthyMs = await up()
    return {
      secrets,
      host: hostOf(template),
      healthyMs,
      dial: (port, signal) => platform.dial(first(), port, signal),
      async dialDatagrams(port, signal) {
        if (!platform.dialDatagrams) throw new Error(`${platform.name} has no datagrams`)
        return platform.dialDatagrams(first(), port, signal)
      },
      async restart() {
        await down()
        await up()
      },
      logs: async () => (await Promise.all([...handles.values()].map((it) => platform.logs(it, 40)))).flat(),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
