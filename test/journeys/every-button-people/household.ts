/** The household of this journey: the product with mail and a provider beside it, the desk of its owner, and what its steps share. */
import { startIssuer } from '@kalnet/server/testing/issuer'
import { testMail } from '@kalnet/server/testing/mail'
import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import { openBrowser } from '../../support/browser.ts'
import { collectComplaints } from '../../support/complaints.ts'
import { freePort } from '../../support/product.ts'
import { changeRows } from '../../support/rows.ts'
import { makeWorld } from '../every-button/world.ts'

export const GRACE = { name: 'Grace Hopper', email: 'grace@example.org', password: 'seven purple teapots' }
/** Where the provider lets back in, once it is known. */
const NOT_YET = 'http://localhost/not-yet'

export async function makeHousehold() {
  const mail = await testMail()
  const port = await freePort()
  const world = await makeWorld({
    port,
    env: {
      // Passkeys belong to a name, and all who come back from elsewhere must come back to it.
      KALNET_PUBLIC_URL: `http://localhost:${port}`,
      KALNET_MAIL_SMTP_URL: mail.smtpUrl,
      KALNET_MAIL_FROM: 'Kalnet <kalnet@example.org>',
      KALNET_OUTBOUND_ALLOW: '127.0.0.0/8',
    },
  })
  const { page, controls, complaints, product, button } = world
  const issuerPort = await freePort()
  let issuer = await startIssuer(() => [NOT_YET], { port: issuerPort })
  const phone = await openBrowser({ width: 390, height: 844 })
  const phoneComplaints = collectComplaints(phone.context)
  await controls.follow(phone.context)
  const change = async (statement: string) => void (await changeRows(product, statement))
  const proveAgain = (at: string) => change(`update sign_ins set proved_at = ${at}`)
  return {
    ...world,
    mail,
    phone,
    phoneComplaints,
    complaints,
    issuer: () => issuer,
    async knowCallback(address: string) {
      await issuer.stop()
      issuer = await startIssuer(() => [address], { port: issuerPort })
    },
    toggles,
    /** Every choice of a box is chosen once; then what can be set is set and taken back. */
    async choices(box: Locator) {
      for (const radio of await box.getByRole('radio').all()) {
        await radio.click({ force: true })
        expect(await radio.isChecked()).toBe(true)
      }
      await toggles(box)
    },
    pick: (box: Locator, name: RegExp | string) => box.getByRole('radio', { name }).click({ force: true }),
    async menu(label: string, item: string) {
      await button(label).click()
      await page.getByRole('menuitem', { name: item, exact: true }).click()
    },
    /** What is shown once: copied by its buttons, then closed. */
    async copyAll(box: Locator) {
      const copies = box.getByRole('button', { name: /^Copy/ })
      for (const copy of await copies.all()) {
        await copy.click()
        await box.getByRole('button', { name: 'Copied' }).first().waitFor()
        expect(await world.copied()).not.toBe('')
      }
    },
    /** As after a long day: what is dangerous asks for a fresh proof. */
    age: () => proveAgain("now() - interval '1 hour'"),
    fresh: () => proveAgain('now()'),
    /** A code is taken once. That is proved elsewhere; here nobody waits half a minute for the next one. */
    codesAgain: () => change('update totp_factors set last_step = 0'),
    async close() {
      await phone.close()
      await world.close()
      await issuer.stop()
      await mail.end()
    },
  }
}
export type Household = Awaited<ReturnType<typeof makeHousehold>>

/** Every check and switch of a box, set and taken back. */
async function toggles(box: Locator): Promise<void> {
  const checks = await box.getByRole('checkbox').all()
  for (const toggle of [...checks, ...(await box.getByRole('switch').all())]) {
    const before = await toggle.isChecked()
    await toggle.click({ force: true })
    expect(await toggle.isChecked()).toBe(!before)
    await toggle.click({ force: true })
  }
}
