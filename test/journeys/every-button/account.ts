/** One's own account: other devices, an authenticator app with its recovery codes, and the second step at the door. */
import { signInRoutes } from '@kalnet/contracts/sign-in'
import { Secret, TOTP } from 'otpauth'
import { expect } from 'vitest'
import { createClient } from '../../support/client.ts'
import { NEXT_PASSWORD } from './me.ts'
import { dangerous } from './prove.ts'
import type { World } from './world.ts'

/** The journey's own client, and this one: three places where the owner is signed in. */
export async function devices(world: World): Promise<void> {
  const { page, product, client, button, go, leave, notice } = world
  const gone = createClient(product.url)
  await gone.signIn(NEXT_PASSWORD)
  const count = async () => (await client.call(signInRoutes.devices)).items.length
  const before = await count()
  await go('/settings')
  await page
    .getByRole('button', { name: /^Sign out: / })
    .first()
    .click()
  await notice('is signed out.')
  // The newest stands first: it was the one made for this.
  expect((await gone.attempt(signInRoutes.devices)).status).toBe(401)
  expect(await count()).toBe(before - 1)
  const others = () => button('Sign out everywhere else').click()
  await leave('Sign out everywhere else?', others)
  await others()
  await button('Sign them out').click()
  await notice('You are signed out everywhere else.')
  expect((await client.attempt(signInRoutes.devices)).status).toBe(401)
  await client.signIn(NEXT_PASSWORD)
  await leave('Sign out everywhere, here too?', () => button('Sign out everywhere').click())
}

export async function secondWay(world: World): Promise<void> {
  const { page, client, button, dialog, go, leave, notice, copied, link } = world
  await go('/settings')
  const title = 'Set up an authenticator app'
  await button('Set up').click()
  await button('Close', dialog(title)).click()
  await dialog(title).waitFor({ state: 'detached' })
  await button('Set up').click()
  const secret = (await page.locator('[data-secret]').textContent())?.replace(/\s/g, '') ?? ''
  await button('Copy it').click()
  await expect.poll(copied).toBe(secret)
  expect(await link('Open it in the app on this phone').getAttribute('href')).toContain(secret)
  // Nothing on this machine takes it: only that it is pressed.
  await link('Open it in the app on this phone').dispatchEvent('pointerdown')
  await button('Confirm', dialog(title)).click()
  await page.getByText('Write all six digits.').waitFor()
  await page.getByLabel('Six digits').fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate())
  await keepCodes(world)
  await button('Move to another phone').click()
  await button('Close', dialog(title)).click()
  await leave('Make new recovery codes?', () => button('New codes').click())
  await button('New codes').click()
  await button('Make new codes').click()
  await keepCodes(world)
  const off = () => button('Turn off').click()
  await leave('Turn off the authenticator app?', off)
  await off()
  await dangerous(world, NEXT_PASSWORD, () =>
    button('Turn off', dialog('Turn off the authenticator app?')).click(),
  )
  await notice('The authenticator app is off.')
  expect(await client.call(signInRoutes.factors)).toMatchObject({ totp: null, recovery: null })
}

export async function keepCodes({ page, button, dialog, copied }: World): Promise<string[]> {
  const box = dialog('Keep these codes safe')
  await box.waitFor()
  const codes = await box.getByRole('listitem').allTextContents()
  expect(codes).toHaveLength(10)
  await button('Copy all').click()
  await expect.poll(copied).toContain(codes[9])
  const [file] = await Promise.all([page.waitForEvent('download'), button('Download').click()])
  expect(file.suggestedFilename()).toBe('kalnet-recovery-codes.txt')
  await page.evaluate(() => {
    window.print = () => document.documentElement.setAttribute('data-printed', '')
  })
  await button('Print').click()
  await page.locator('html[data-printed]').waitFor()
  await box.getByText('I have put them in a safe place').click()
  await button('Done').click()
  await box.waitFor({ state: 'detached' })
  return codes
}
