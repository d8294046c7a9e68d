/**
 * Services as a family has them: installed by the API, opened through the gateway by somebody who is signed in, updated, started afresh,
 * removed with their data. Three always; all nine on both platforms with KALNET_SERVICES=all.
 */
import { isDemanded, missing } from '@kalnet/controller/platforms/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { createClient } from '../support/client.ts'
import { freePort, startProduct, tokenOf } from '../support/product.ts'
import { homeWithImages } from './home.ts'
import { type Household, LIFE_MS, liveThrough } from './life.ts'
import { note } from './results.ts'
import { TALKS } from './talks.ts'

const isAll = process.env.KALNET_SERVICES === 'all'
const SHORT: [string, 'process' | 'docker'][] = [
  ['site', 'process'],
  ['radicale', 'process'],
  ['postgresql', 'process'],
  ['site', 'docker'],
]
const ALL = Object.keys(TALKS).flatMap(
  (id) =>
    [
      [id, 'process'],
      [id, 'docker'],
    ] as [string, 'process' | 'docker'][],
)
const lacks =
  process.getuid?.() === 0 ? await missing(['mmdebstrap', 'flock', 'bwrap', 'npm', 'dockerd']) : 'root'

if (lacks && !isDemanded) test.skip(`services of the whole product: ${lacks} is missing`)
else
  describe('a service of the whole product', () => {
    let household: Household
    beforeAll(async () => {
      const gatewayPort = await freePort()
      const product = await startProduct({
        home: await homeWithImages(),
        env: { KALNET_GATEWAY_HTTP_PORT: String(gatewayPort) },
      })
      household = { product, client: createClient(product.url), gatewayPort, fronts: [] }
      await household.client.claim(tokenOf(product.claim))
    }, 300_000)
    afterAll(async () => {
      for (const front of household?.fronts ?? []) await front.close()
      await household?.product.down()
    }, 120_000)

    test.each(isAll ? ALL : SHORT)(
      '[TPL-1.service-product] %s on %s: installed, opened, updated, started afresh, removed',
      async (templateId, platform) => {
        const begin = performance.now()
        const { version } = await liveThrough(household, { templateId, platform })
        if (isAll)
          await note(`the whole product, ${platform}`, templateId, {
            version,
            wholeLifeMs: Math.round(performance.now() - begin),
            at: new Date().toISOString(),
          })
      },
      LIFE_MS,
    )
  })
