/** The house of this journey: the product with a gateway on a port of its own, and what its steps share. */
import { gatewayRoutes } from '@kalnet/contracts/gateway'
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { freePort } from '../../support/product.ts'
import { changeRows } from '../../support/rows.ts'
import { makeWorld } from '../every-button/world.ts'

export const TITLE = 'Our pages'
export const NAME = 'pages'

const SERVE_FROM_IMAGE = [
  '/bin/sh',
  '-euc',
  [
    'sed "s#root /data#root /usr/lib/kalnet/site-first#" /etc/nginx/kalnet.conf > /tmp/own.conf',
    'exec /usr/sbin/nginx -c /tmp/own.conf -e stderr -g "daemon off;"',
  ].join('; '),
]

export async function makeHouse() {
  const gateway = await freePort()
  const world = await makeWorld({ env: { KALNET_GATEWAY_HTTP_PORT: String(gateway) } })
  const { client, page, browser, button, product, holds } = world
  const list = async () => (await client.call(serviceRoutes.list)).items
  const service = async (): Promise<Service> => {
    const found = (await list()).find(({ name }) => name === NAME)
    if (!found) throw new Error(`there is no service ${NAME}`)
    return found
  }
  return {
    ...world,
    list,
    service,
    address: `http://${NAME}.localhost:${gateway}`,
    /** Until it is so; with what it says of itself where it never is. */
    async becomes(state: Service['state'], limitMs = 60_000): Promise<void> {
      let last: Service | null = null
      await holds(
        `${NAME} becomes ${state}`,
        limitMs,
      )(async () => {
        last = await service()
        return last.state === state
      }).catch((problem: unknown) => {
        throw new Error(`${problem} ${JSON.stringify(last)}`)
      })
    },
    routes: async () => (await client.call(gatewayRoutes.list)).items,
    openPart: async (part: string) => {
      await page
        .getByRole('navigation', { name: 'About this service' })
        .getByText(part, { exact: true })
        .click()
    },
    async menu(label: string, item: string) {
      await button(label).first().click()
      await page.getByRole('menuitem', { name: item, exact: true }).click()
    },
    /** A link that leads to the service in a tab of its own, past who one is. */
    async opens(link: Locator): Promise<void> {
      const [tab] = await Promise.all([browser.context.waitForEvent('page'), link.click()])
      await tab.getByRole('heading', { name: 'A page of our own' }).waitFor()
      await tab.close()
    },
    /** Every choice once, every switch there and back; a choice may show and hide what comes after it. */
    async everything(box: Locator): Promise<void> {
      const radios = box.getByRole('radio')
      for (let at = 0; at < (await radios.count()); at++) {
        await radios.nth(at).click({ force: true })
        expect(await radios.nth(at).isChecked()).toBe(true)
      }
      for (const kind of ['checkbox', 'switch'] as const)
        for (const toggle of await box.getByRole(kind).all()) {
          const before = await toggle.isChecked()
          await toggle.click({ force: true })
          expect(await toggle.isChecked()).toBe(!before)
          await toggle.click({ force: true })
        }
    },
    /** As if it had been installed from an older template. */
    age: () => changeRows(product, `update releases set version = '0.9.0'`),
    /**
     * As if its template kept no data: then the release before lives on beside the next one while something is open there. Its pages are
     * those of its image, in a folder that goes with it.
     */
    keepNothing: () =>
      changeRows(
        product,
        `update releases set content = jsonb_set(jsonb_set(content, '{template,parts,0,volumes}', '[]'),
          '{template,parts,0,command}', '${JSON.stringify(SERVE_FROM_IMAGE)}')`,
      ),
  }
}
export type House = Awaited<ReturnType<typeof makeHouse>>
