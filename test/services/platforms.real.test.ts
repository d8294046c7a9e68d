/**
 * Services of our own recipes as they really run: started, used in their own protocol, started afresh with what they kept, taken away.
 * Some always; all nine on both platforms with KALNET_SERVICES=all, which also notes what was seen in test/results/services.json and in
 * the catalog's proved.json.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bench, noteProof, openBench } from '@kalnet/cli/templates/prove'
import { proofOfService } from '@kalnet/cli/templates/prove-service'
import { runService, type ServiceRun } from '@kalnet/cli/templates/service-life'
import { isDemanded, missing, testCache } from '@kalnet/controller/platforms/testing'
import { systemClock } from '@kalnet/io/clock'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { note } from './results.ts'
import { TALKS, type Talk } from './talks.ts'
import { type Door, openDoor, type Way } from './way.ts'

const CATALOG = fileURLToPath(new URL('../../catalog', import.meta.url))
const LIMIT_MS = 30 * 60_000
const isAll = process.env.KALNET_SERVICES === 'all'
/** The rest of the short run goes through the whole product; a database has no door there. */
const SHORT: Record<string, readonly string[]> = { process: ['postgresql'], docker: [] }

const lacks: Record<string, string | null> = {
  process: process.getuid?.() === 0 ? await missing(['mmdebstrap', 'flock', 'bwrap', 'npm']) : 'root',
  docker: await missing(['mmdebstrap', 'flock', 'dockerd', 'npm']),
}

/** Straight to its ports. */
async function wayTo(service: ServiceRun, port: string, talk: (way: Way) => Promise<void>): Promise<void> {
  const doors: Door[] = []
  const open = async () => {
    const door = doors[0] ?? (await openDoor((signal) => service.dial(port, signal)))
    doors[0] = door
    return door.port
  }
  const stop = new AbortController()
  try {
    await talk({
      secrets: service.secrets,
      place: async () => ({ host: '127.0.0.1', port: await open() }),
      async http(path, { method = 'GET', headers, body } = {}) {
        const all = { host: service.host, 'x-kalnet-username': 'ada', ...headers }
        return ask(`http://127.0.0.1:${await open()}`, { method, path, headers: all, body })
      },
      async packet(payload) {
        const to = await service.dialDatagrams(port, stop.signal)
        const first = Promise.withResolvers<Buffer>()
        to.onMessage(first.resolve)
        to.send(payload)
        const late = systemClock
          .sleep(10_000, stop.signal)
          .then(() => Promise.reject(new Error('no packet came back')))
        return Promise.race([first.promise, late])
      },
    })
  } finally {
    stop.abort(new Error('the talk is over'))
    for (const door of doors) await door.close()
  }
}

for (const platform of ['process', 'docker'] as const) {
  if (lacks[platform] && !isDemanded) {
    test.skip(`services on ${platform}: ${lacks[platform]} is missing`)
    continue
  }
  const asked = Object.entries<Talk>(TALKS).filter(([id]) => isAll || SHORT[platform]?.includes(id))
  if (asked.length === 0) continue
  describe(`services on ${platform}`, () => {
    let bench: Bench
    beforeAll(async () => {
      bench = await openBench({ platform, imagesFolder: join(testCache, 'images'), catalog: CATALOG })
    })
    afterAll(() => bench?.close())
    for (const [id, talk] of asked) {
      test(
        `[TPL-1.service-lives] ${id} starts, answers in its own protocol, keeps its data through a new start, and goes`,
        async () => {
          const template = bench.files.templates.find((it) => it.template.id === id)?.template
          if (template?.kind !== 'service') throw new Error(`${id} is no service`)
          const port = template.parts[0]?.ports[0]?.name ?? ''
          const service = await runService(bench, template, {
            answers: talk.answers,
            signal: AbortSignal.timeout(LIMIT_MS),
            report: () => undefined,
          })
          try {
            await wayTo(service, port, talk.write)
            const before = performance.now()
            await service.restart()
            const restartMs = Math.round(performance.now() - before)
            await wayTo(service, port, talk.read)
            if (isAll) {
              const proof = await proofOfService(bench, template, service.healthyMs)
              await note(platform, id, { ...proof, restartMs })
              if (platform === 'process') await noteProof(CATALOG, id, proof)
            }
          } catch (error) {
            throw new Error(`${id}\n${(await service.logs()).join('\n')}`, { cause: error })
          } finally {
            await service.close()
          }
          expect(await bench.platform.list()).toEqual([])
        },
        LIMIT_MS,
      )
    }
  })
}
