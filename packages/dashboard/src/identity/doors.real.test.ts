/** The doors in a real browser against the stand-in: proving oneself once more, the second step, a second way before all else. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DoorOptions, RIGHT_CODE, RIGHT_PASSWORD } from '../../dev/account-stand-in.ts'
import type { World } from '../../dev/fixtures.ts'
import { noBrowser, openPage, openSite, type Site } from '../testing.ts'

if (noBrowser) console.log(`skipped: doors of the dashboard: ${noBrowser}`)
const PHONE = { viewport: { width: 390, height: 844 } }

describe.skipIf(noBrowser)('doors', { timeout: 300_000 }, () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite()
  })
  afterAll(() => site?.close())

  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
  const heading = (page: Page, name: string) => page.getByRole('heading', { name }).first().waitFor()
  async function at(path: string, world: World, door: DoorOptions) {
    site.standIn.use(world, { door })
    const opened = await openPage(site.browser, PHONE)
    const asked: string[] = []
    opened.page.on('request', (request) =>
      asked.push(`${request.method()} ${new URL(request.url()).pathname}`),
    )
    await opened.page.goto(site.url + path)
    return { ...opened, asked }
  }
  async function turnOff(page: Page) {
    await press(page, 'Turn off')
    await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click()
    await heading(page, 'Is it you?')
  }
  const removals = (asked: string[]) => asked.filter((it) => it === 'DELETE /api/factors/totp').length

  test('[IDN-1.step-up-screen] what is dangerous asks who it is, and is done after the proof', async () => {
    const { context, page, asked, complaints } = await at('/settings', 'usual', {
      guarded: true,
      stepUp: true,
    })
    await turnOff(page)
    await page.getByLabel('Your password').fill('not this one')
    await press(page, 'Confirm')
    await page.getByText('That is not right.').waitFor()
    await page.getByLabel('Your password').fill(RIGHT_PASSWORD)
    await press(page, 'Confirm')
    await page.getByText('The authenticator app is off.').waitFor()
    expect(removals(asked)).toBe(2)
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[IDN-1.step-up-screen] declined, nothing is done and nothing is complained of', async () => {
    const { context, page, asked } = await at('/settings', 'usual', { guarded: true, stepUp: true })
    await turnOff(page)
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Is it you?' }).waitFor({ state: 'detached' })
    expect(removals(asked)).toBe(1)
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).waitFor()
    await context.close()
  })

  test('[IDN-1.step-up-screen] by a code instead; six digits go off by themselves', async () => {
    const { context, page, asked } = await at('/settings', 'usual', { guarded: true, stepUp: true })
    await turnOff(page)
    await press(page, 'Use the authenticator app')
    await page.getByLabel('Six digits').pressSequentially(RIGHT_CODE)
    await page.getByText('The authenticator app is off.').waitFor()
    expect(removals(asked)).toBe(2)
    await context.close()
  })

  test('[IDN-1.sign-in-screen] the second step by keyboard alone; tried too often it begins again and keeps the e-mail', async () => {
    const { context, page, complaints } = await at('/', 'signed-out', { second: true })
    await page.getByLabel('E-mail').fill('ada@example.org')
    await page.getByLabel('Password').fill(RIGHT_PASSWORD)
    await page.keyboard.press('Enter')
    await heading(page, 'One more step')
    for (const left of ['4 tries are left', '3 tries are left', '2 tries are left', 'One try is left']) {
      await page.keyboard.type('000000')
      await page.getByText(left).waitFor()
    }
    await page.keyboard.type('000000')
    await heading(page, 'Welcome back')
    await page.getByText('tried too often').waitFor()
    expect(await page.getByLabel('E-mail').inputValue()).toBe('ada@example.org')
    await page.keyboard.type(RIGHT_PASSWORD)
    await page.keyboard.press('Enter')
    await heading(page, 'One more step')
    site.standIn.use('signed-out', { door: { second: true } })
    await page.keyboard.type(RIGHT_CODE)
    await page.getByRole('heading', { name: /, Ada$/ }).waitFor()
    expect(complaints).toEqual([])
    await context.close()
  })

  test('[IDN-1.sign-in-screen] a forgotten password says the same whoever asks; the link leads to a new one and in', async () => {
    const { context, page } = await at('/', 'signed-out', { mail: true })
    await press(page, 'Forgot your password?')
    await page.getByLabel('E-mail').fill('nobody@example.org')
    await press(page, 'Send the link')
    await page.getByText('If somebody here has the address nobody@example.org').waitFor()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(`${site.url}/reset#a-secret-token`)
    await page.getByLabel('New password').fill(RIGHT_PASSWORD)
    await press(page, 'Take this password')
    await page.getByRole('heading', { name: /, Ada$/ }).waitFor()
    expect(asked.filter((url) => url.includes('secret-token') && !url.includes('#'))).toEqual([])
    expect(new URL(page.url()).hash).toBe('')
    await context.close()
  })

  test('[IDN-1.second-way-screen] nothing else is shown before a second way is set up; its codes are kept first', async () => {
    const { context, page, complaints } = await at('/launch', 'usual', { unproved: true })
    await heading(page, 'A second way')
    expect(await page.getByRole('navigation').count()).toBe(0)
    await page.getByRole('button', { name: 'An authenticator app' }).click()
    await page.getByLabel('Six digits').fill('000000')
    await page.getByText('That code is not right.').waitFor()
    await page.getByLabel('Six digits').fill(RIGHT_CODE)
    await heading(page, 'Keep these codes safe')
    await page.keyboard.press('Escape')
    expect(await page.getByRole('button', { name: 'Done' }).isDisabled()).toBe(true)
    await page.getByText('I have put them in a safe place').click()
    await press(page, 'Done')
    await heading(page, 'Launch')
    expect(complaints).toEqual([])
    await context.close()
  })
})
