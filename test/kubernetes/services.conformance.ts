/** Services of the same house on the same cluster: one is opened in the browser, one keeps what it was given; removed, nothing of them is left there. */
import { join } from 'node:path'
import { createContext } from '@kalnet/cli/context'
import { leaveCluster } from '@kalnet/cli/end-instances'
import type { Page } from 'playwright-core'
import { afterAll, expect, it } from 'vitest'
import { type Household, LIFE_MS, liveThrough, setUp } from '../services/life.ts'
import { TALKS } from '../services/talks.ts'
import { createClient } from '../support/client.ts'
import type { ClusterPlace } from '../support/cluster/place.ts'
import { eventually } from '../support/eventually.ts'
import { clusterIsNotAsked } from '../support/parts.ts'
import type { Product } from '../support/product.ts'

const platform = 'kubernetes'

interface There {
  product: Product
  gatewayPort: number
  cluster: ClusterPlace
  page: Page
  pictures: string
}

/** Beside the web page, which keeps its folder, too. */
const isShort = await clusterIsNotAsked(
  'what a service on a cluster keeps through its removal, and the end of all by `down`',
)

export function describeServices(there: () => There): void {
  let house: Household | null = null
  const houseOf = async () => {
    const { product, gatewayPort } = there()
    if (!house) {
      const client = createClient(product.url)
      await client.signIn()
      house = { product, client, gatewayPort, fronts: [] }
    }
    return house
  }
  afterAll(async () => {
    for (const front of house?.fronts ?? []) await front.close()
  })
  const nothing = { pods: [], secrets: [], claims: [], policies: [] }

  it('[K8S-1.service] a web page is served from the cluster through the gateway, updated, started afresh and removed', {
    timeout: LIFE_MS,
  }, async () => {
    const { product, page, pictures } = there()
    await left('of the session', nothing)
    await liveThrough(
      await houseOf(),
      { templateId: 'site', platform },
      {
        async glance({ id, url }) {
          await page.goto(`${product.url}/services/${id}`)
          await page.getByText('Kubernetes').first().waitFor()
          await page.screenshot({ path: join(pictures, 'service-kubernetes.png') })
          await page.goto(url ?? '')
          await page.getByRole('heading', { name: 'A page of our own' }).waitFor()
          await page.screenshot({ path: join(pictures, 'site-kubernetes.png') })
        },
      },
    )
    await left('of the web page', nothing)
  })

  it.skipIf(isShort)(
    '[K8S-1.service-data] calendars on the cluster outlive an update, a new start and their own removal, until somebody wants them gone',
    {
      timeout: LIFE_MS,
    },
    async () => {
      const { cluster } = there()
      const house = await houseOf()
      const radicale = { templateId: 'radicale', platform } as const
      let claims: string[] = []
      const glance = async () => {
        claims = (await cluster.things()).claims
      }
      await liveThrough(house, radicale, { glance, data: 'keep' })
      expect(claims).toHaveLength(1)
      await left('of the calendars but what they hold', { ...nothing, claims })
      const again = await setUp(house, radicale)
      try {
        if (again.way) await TALKS.radicale?.read(again.way)
        expect((await cluster.things()).claims).toEqual(claims)
      } finally {
        await again.remove('remove')
      }
      await left('of the calendars', nothing)
    },
  )

  it.skipIf(isShort)(
    '[K8S-1.down] down ends what runs on the cluster; leaving it takes all away but what services keep',
    {
      timeout: LIFE_MS,
    },
    async () => {
      const { product, cluster } = there()
      const { service } = await setUp(await houseOf(), { templateId: 'radicale', platform })
      const podOf = async () => (await cluster.pods(service.instances[0]?.id ?? ''))[0]?.status?.phase
      expect(await podOf()).toBe('Running')
      const { stdout, stderr } = await product.kalnet('down', '--yes')
      expect(stdout, stderr).toContain('1 instance of services ended')
      expect(await podOf()).not.toBe('Running')
      const env = { ...process.env, KALNET_HOME: product.home, ...cluster.env }
      const context = createContext({ json: true, env, signal: AbortSignal.timeout(LIFE_MS) })
      const { claims } = await cluster.things()
      expect(await leaveCluster(context)).toMatchObject({
        pods: 1,
        claims: expect.stringMatching(/^kubectl delete pvc /),
      })
      await left('but what it kept', { ...nothing, claims })
      expect(claims).toHaveLength(1)
    },
  )

  const left = (what: string, things: object) => {
    const { cluster } = there()
    return eventually(
      `nothing is left ${what}`,
      async () => JSON.stringify(await cluster.things()) === JSON.stringify(things),
    )
  }
}
