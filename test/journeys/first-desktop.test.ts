/**
 * The first evening: claim, sign in, launch a terminal, type, copy, paste, resize, stop — in a real Chromium against the
 * whole product as `./kalnet up` starts it. On the process platform as root and as an ordinary user, on Docker, and on a real cluster.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '@kalnet/contracts/session'
import { run } from '@kalnet/io/spawn'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeServices } from '../kubernetes/services.conformance.ts'
import { homeWithImages } from '../services/home.ts'
import { openBrowser } from '../support/browser.ts'
import { OWNER } from '../support/client.ts'
import { type ClusterPlace, openClusterPlace } from '../support/cluster/place.ts'
import { eventually } from '../support/eventually.ts'
import { inOrder } from '../support/in-order.ts'
import { lacking } from '../support/parts.ts'
import { CHECKOUT, freePort, ordinaryPerson, type Product, startProduct } from '../support/product.ts'
import { screensOf } from '../support/runtime.ts'

const PICTURES = process.env.KALNET_PICTURES ?? join(CHECKOUT, 'test/results/pictures')
const screen = (page: Page) => page.locator('[data-live="true"] canvas').first()
const pixels = (page: Page) => screen(page).evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
const size = (page: Page) =>
  screen(page).evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height])

const cases = [
  {
    name: 'process as root',
    platform: 'Sandbox',
    person: false,
    needs: ['root', 'chromium', 'bubblewrap', 'mmdebstrap'],
  },
  {
    name: 'process as an ordinary user',
    platform: 'Sandbox',
    person: true,
    needs: ['root', 'chromium', 'bubblewrap', 'mmdebstrap', 'uidmap'],
  },
  { name: 'docker', platform: 'Docker', person: false, needs: ['root', 'chromium', 'mmdebstrap', 'docker'] },
  {
    name: '[K8S-1.first-desktop] kubernetes',
    platform: 'Kubernetes',
    person: false,
    needs: ['root', 'chromium', 'mmdebstrap', 'imageRegistry', 'kubernetes'],
  },
] as const

for (const { name, platform, person, needs } of cases) {
  const why = await lacking(needs, `the first evening on ${name}`)
  describe.skipIf(why)(`first desktop, ${name}`, () => {
    let product: Product
    let cluster: ClusterPlace | undefined
    let gatewayPort = 0
    let browser: Awaited<ReturnType<typeof openBrowser>>
    let page: Page
    const problems: string[] = []
    const typeLine = async (text: string) => {
      await page.keyboard.type(text, { delay: 8 })
      await page.keyboard.press('Enter')
    }
    /** What a file of the session's home holds; empty while there is none. */
    const inSession = async (file: string) => {
      const found = await run('find', [
        '-L',
        ...(cluster?.files ?? [join(product.home, 'data')]),
        '-path',
        '*/images/*',
        '-prune',
        '-o',
        '-name',
        file,
        '-print',
      ])
      const path = found.stdout.trim().split('\n')[0]
      return path ? (await run('cat', [path])).stdout : ''
    }
    const sessions = async () => {
      const listed = JSON.parse((await product.kalnet('sessions', 'list', '--json')).stdout) as
        | Session[]
        | { items: Session[] }
      return Array.isArray(listed) ? listed : listed.items
    }
    const instanceOf = async (it: Page) =>
      (await sessions()).find((one) => one.id === new URL(it.url()).pathname.split('/').at(-1))?.instanceId ??
      ''
    const screensThere = (id: string) => screensOf(id, cluster?.runtimesOf)
    const picture = (word: string) =>
      page.screenshot({
        path: join(PICTURES, `${word}-${platform.toLowerCase()}${person ? '-user' : ''}.png`),
      })

    inOrder()
    beforeAll(async () => {
      await mkdir(PICTURES, { recursive: true })
      const user = person ? await ordinaryPerson() : null
      if (person && !user) throw new Error('no ordinary user could be made')
      gatewayPort = await freePort()
      if (platform === 'Kubernetes') cluster = await openClusterPlace('journeys')
      product = await startProduct({
        person: user ?? undefined,
        ...(cluster && {
          home: await homeWithImages(),
          env: { ...cluster.env, KALNET_GATEWAY_HTTP_PORT: String(gatewayPort) },
        }),
      })
      browser = await openBrowser({ whole: true })
      page = browser.page
      page.on('pageerror', (error) => problems.push(error.message))
      page.on('console', (message) => {
        if (/content security policy/i.test(message.text())) problems.push(message.text())
      })
    })
    afterAll(async () => {
      await browser?.close()
      await product?.down()
      await cluster?.close()
    })

    it('[UI-2.claim] the claim link makes the owner', async () => {
      await page.goto(product.claim ?? '')
      await page.getByLabel('Your name').fill(OWNER.name)
      await page.getByLabel('Name of your household or team').fill('The Lovelaces')
      await page.getByLabel('E-mail').fill(OWNER.email)
      await page
        .getByLabel(/password/i)
        .first()
        .fill(OWNER.password)
      await page.getByRole('button', { name: 'Create owner account' }).click()
      await page.getByText('Your screen is a click away').waitFor()
      await picture('home-empty')
    })

    it('[UI-2.sign-in] signing out and in again', async () => {
      await page.goto(`${product.url}/settings`)
      await page.getByRole('button', { name: 'Sign out', exact: true }).click()
      await page.getByText('Welcome back').waitFor()
      await page.getByLabel('E-mail').fill(OWNER.email)
      await page.getByLabel('Password').fill('not the password')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('do not belong together').waitFor()
      await page.getByLabel('Password').fill(OWNER.password)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: /Ada/ }).waitFor()
    })

    it('[SES-1.launch] [STR-1.viewer] a click in the catalog ends in a picture', {
      timeout: 600_000,
    }, async () => {
      await page.goto(`${product.url}/launch`)
      await page.getByPlaceholder('Search the catalog').fill('termin')
      await page.getByRole('button', { name: 'Details of Terminal' }).click()
      await page.getByText(platform, { exact: true }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click()
      await screen(page).waitFor({ timeout: 540_000 })
      await sleep(500)
      await picture('terminal')
    })

    it('[STR-1.keyboard] what is typed arrives in the session and changes its picture', async () => {
      const before = await pixels(page)
      await screen(page).click()
      await typeLine('echo "made by $(id -u)" > made-by-hand')
      await eventually('the file', async () => (await inSession('made-by-hand')) === 'made by 1000\n')
      expect(await pixels(page)).not.toBe(before)
    })

    it('[STR-1.clipboard] text is pasted into the session', async () => {
      await page.evaluate(() => navigator.clipboard.writeText('grüße from outside ✓'))
      let patience = 0
      await eventually('the pasted text', async () => {
        // A person who sees nothing come tries again, and waits a little longer.
        patience += 1
        // Coming back to the window is when the viewer looks at the clipboard.
        await page.evaluate(() => window.dispatchEvent(new Event('focus')))
        await sleep(500 * patience)
        await page.keyboard.press('Control+C')
        await page.keyboard.type('cat > pasted')
        await page.keyboard.press('Enter')
        await page.keyboard.press('Control+Shift+V')
        await sleep(300 * patience)
        await page.keyboard.press('Enter')
        await page.keyboard.press('Control+D')
        await sleep(300 * patience)
        return (await inSession('pasted').catch(() => '')) === 'grüße from outside ✓\n'
      })
    })

    it('[STR-1.clipboard] text selected in the session is copied out', async () => {
      await typeLine('clear; echo copied-from-inside')
      const box = await screen(page).boundingBox()
      // Its first line is the output, as soon as it is drawn: a double click there selects the word.
      await eventually('the copied text', async () => {
        await page.mouse.dblclick((box?.x ?? 0) + 60, (box?.y ?? 0) + 14)
        await sleep(500)
        return (await page.evaluate(() => navigator.clipboard.readText())).includes('copied')
      })
    })

    it('[STR-1.resize] the session follows the size of the window', async () => {
      const before = await size(page)
      await page.setViewportSize({ width: 1000, height: 700 })
      await eventually('the new size', async () => {
        const [width, height] = await size(page)
        return width === 1000 && height === 700
      })
      expect(before).not.toEqual([1000, 700])
    })

    it('[STR-4.stages] the session page shows every stage with its time', async () => {
      const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
      const mine = (await sessions()).find((one) => one.id === id)
      const times = Object.values(mine?.stages ?? {})
      expect(times).toHaveLength(6)
      expect(times.every((time) => time !== null)).toBe(true)
      expect([...times].sort()).toEqual(times)
    })

    it('[STR-4.recorded] leaving the screen, how the picture was stands on the session’s page', async () => {
      const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
      await page.goto(new URL(`/sessions/${id}`, product.url).href)
      const told = page.getByRole('group', { name: 'How the picture was' })
      await told
        .getByText(/\d+ ms|\d+ s/)
        .first()
        .waitFor()
      await picture('session')
    })

    it('[SES-1.hibernate] put to sleep, nothing of it runs; awake again, what lay in its home is there', async () => {
      const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
      const instanceId = (await sessions()).find((one) => one.id === id)?.instanceId ?? ''
      await page.getByRole('button', { name: 'Put to sleep' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Put to sleep' }).click()
      await page.getByRole('button', { name: 'Wake up' }).waitFor()
      expect(await screensThere(instanceId)).toEqual([])
      expect(await inSession('made-by-hand')).toBe('made by 1000\n')
      await picture('asleep')
      await page.getByRole('button', { name: 'Wake up' }).click()
      await screen(page).click()
      await typeLine('cat made-by-hand > awake-again')
      await eventually('the file', async () => (await inSession('awake-again')) === 'made by 1000\n')
      await picture('awake')
    })

    it('[SES-1.stop] stopped, it is gone', async () => {
      const instanceId = await instanceOf(page)
      expect(await screensThere(instanceId)).toHaveLength(1)
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.goto(product.url)
      await page.getByRole('article', { name: 'Terminal' }).getByRole('link').waitFor()
      await sleep(2_000)
      await picture('home')
      await page.getByRole('article', { name: 'Terminal' }).getByRole('link').click()
      await screen(page).waitFor()
      await page.getByRole('button', { name: 'Show the session bar' }).click()
      await page.getByRole('toolbar').getByRole('button', { name: 'Stop' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
      await page.getByText('Recently ended').waitFor()
      await eventually('no runtime is left', async () => (await screensThere(instanceId)).length === 0)
      expect(problems).toEqual([])
    })

    if (platform === 'Kubernetes')
      describeServices(() => ({ product, page, pictures: PICTURES, gatewayPort, cluster: cluster! }))
  })
}
