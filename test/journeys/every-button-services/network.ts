/** Addresses, who calls whom, certificates, and trusting on a device. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificateRoutes } from '@kalnet/contracts/certificate'
import { must } from '@kalnet/io/spawn'
import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { OWNER } from '../../support/client.ts'
import { dangerous } from '../every-button/prove.ts'
import { type House, NAME, TITLE } from './house.ts'

/** Who may pass and from where: all of it, people asked at the end. */
async function pass(house: House, box: Locator): Promise<void> {
  const who = box.getByRole('radiogroup', { name: 'Who may open it?' })
  await house.everything(who)
  await who.getByRole('radio').first().click({ force: true })
  await house.everything(box.getByRole('radiogroup', { name: 'From where?' }))
  for (const kind of ['checkbox', 'switch'] as const)
    for (const toggle of await box.getByRole(kind).all()) {
      await toggle.click({ force: true })
      await toggle.click({ force: true })
    }
}

export async function addresses(house: House): Promise<void> {
  const { page, button, dialog, go, leave, menu, notice, opens, service, routes, openPart } = house
  await go(`/services/${(await service()).id}`)
  await openPart('Addresses')
  await leave('Add an address', () => button('Add an address').first().click())
  await button('Add an address').first().click()
  const box = dialog('Add an address')
  await house.everything(box)
  for (const [kind, wrong] of [
    ['TCP port', 'A number from 1 to 65535.'],
    ['UDP port', 'A number from 1 to 65535.'],
    ['Website', 'A name like photos.example.org.'],
  ] as const) {
    await box.getByRole('radio', { name: kind }).click({ force: true })
    await button('Add an address', box).click()
    await box.getByText(wrong).waitFor()
  }
  await box.getByLabel('Host name').fill('second.localhost')
  await box.getByLabel('From which path on').fill('/under')
  await pass(house, box)
  await box.getByLabel('From which path on').fill('/')
  await box.getByLabel('Port of the service').fill('http')
  await button('Add an address', box).click()
  await notice('The address leads there now')
  const port = new URL(house.address).port
  await opens(page.getByRole('link', { name: `second.localhost:${port}` }))

  const second = `second.localhost:${port}`
  await button(`Actions for ${second}`).click()
  await button('Dismiss').first().dispatchEvent('click')
  await page.getByRole('menu').waitFor({ state: 'detached' })
  await leave(second, () => menu(`Actions for ${second}`, 'Who and how…'))
  await menu(`Actions for ${second}`, 'Who and how…')
  const edit = dialog(second)
  await edit.getByText('Fine tuning').click()
  await house.everything(edit.locator('details'))
  await pass(house, edit)
  await edit.getByRole('switch', { name: 'Leave it alone when too much fails' }).click({ force: true })
  await edit.getByRole('switch', { name: 'Let only so many in' }).click({ force: true })
  await house.everything(edit.locator('details'))
  await edit.getByRole('switch', { name: 'Leave it alone when too much fails' }).click({ force: true })
  await edit.getByLabel('Seconds to answer').fill('soon')
  await button('Save', edit).click()
  await edit.getByText('A number from 0.1 to 3600.').waitFor()
  await edit.getByLabel('Seconds to answer').fill('30')
  await edit.getByLabel('A second', { exact: true }).fill('50')
  await button('Save', edit).click()
  await notice('The new rules hold from now on')
  await page.getByText('At most 50 a second').waitFor()
  expect((await routes()).find(({ url }) => url?.includes('second'))).toMatchObject({
    policy: { timeouts: { answerMs: 30_000 }, rate: { perSecond: 50 } },
  })

  const title = 'Remove this address?'
  await leave(title, () => menu(`Actions for ${second}`, 'Remove…'))
  await menu(`Actions for ${second}`, 'Remove…')
  await button('Remove address', dialog(title)).click()
  await notice('The address is removed')
  expect((await routes()).map(({ serviceName }) => serviceName)).toEqual([NAME])
}

export async function map(house: House): Promise<void> {
  const { page, button, dialog, go, menu, opens } = house
  await go('/settings/network')
  const shown = new URL(house.address).host
  await opens(page.getByRole('link', { name: shown }))
  await page.getByRole('list', { name: 'All connections' }).getByText(TITLE).waitFor()
  await menu(`Actions for ${shown}`, 'Who and how…')
  await button('Close', dialog(shown)).click()
  await menu(`Actions for ${shown}`, 'Remove…')
  await button('Cancel', dialog('Remove this address?')).click()
  await button('Add an address').click()
  await dialog('Add an address').getByLabel('Leads to').waitFor()
  await button('Cancel', dialog('Add an address')).click()
}

export async function certificates(house: House): Promise<void> {
  const { page, client, button, dialog, go, leave, menu, notice } = house
  const folder = await mkdtemp(join(tmpdir(), 'kn-own-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE']
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']
  const name = ['-subj', '/CN=own.example.org', '-addext', 'subjectAltName=DNS:own.example.org']
  await must('openssl', ['req', '-x509', ...what, ...leaf, ...name, '-keyout', key, '-out', certificate])
  const list = async () => (await client.call(certificateRoutes.list)).items
  try {
    await go('/settings/certificates')
    await page.getByRole('heading', { name: 'None is needed at home' }).waitFor()
    const order = 'Order a certificate'
    await leave(order, () => button('Order one').click())
    await button('Order one').click()
    await house.everything(dialog(order))
    await button('Order it', dialog(order)).click()
    await page.getByText('Without it, nothing can be ordered.').waitFor()
    await button('Cancel', dialog(order)).click()

    const bring = 'Bring a certificate'
    await leave(bring, () => button('Bring one').click())
    await dangerous(house, OWNER.password, async () => {
      if (!(await dialog(bring).isVisible())) await button('Bring one').click()
      await dialog(bring)
        .getByLabel('Certificate and chain')
        .fill(await readFile(certificate, 'utf8'))
      await dialog(bring)
        .getByLabel('Private key')
        .fill(await readFile(key, 'utf8'))
      await button('Use it', dialog(bring)).click()
    })
    await notice('It is served from now on')
    expect(await list()).toMatchObject([{ names: ['own.example.org'], source: 'own' }])

    const acts = 'Actions for own.example.org'
    await menu(acts, 'Details')
    await button('Close', dialog('own.example.org')).click()
    const title = 'Remove this certificate?'
    await leave(title, () => menu(acts, 'Remove…'))
    await dangerous(house, OWNER.password, async () => {
      if (!(await dialog(title).isVisible())) await menu(acts, 'Remove…')
      await button('Remove it', dialog(title)).click()
    })
    await notice('It is removed')
    expect(await list()).toEqual([])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** This house answers on its own machine alone: it has no authority, and says so, also before signing in. */
export async function trust({ page, go, at, link }: House): Promise<void> {
  await go('/trust')
  await page.getByRole('heading', { name: 'Nothing to do here' }).waitFor()
  await link('To Kalnet').click()
  await at('/')
}
