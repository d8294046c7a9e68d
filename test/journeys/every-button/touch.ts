/** A phone: signing in, and the row of keys that its keyboard lacks. */
import { expect } from 'vitest'
import { openBrowser } from '../../support/browser.ts'
import { OWNER } from '../../support/client.ts'
import { collectComplaints } from '../../support/complaints.ts'
import { openListener } from './listener.ts'
import { picture, type World } from './world.ts'

export async function touch(world: World, id: string): Promise<void> {
  const { product, controls, button, live, read, complaints } = world
  const phone = await openBrowser({ width: 390, height: 844, touch: true })
  try {
    const { page, context } = phone
    const heardOf = collectComplaints(context)
    await controls.follow(context)
    await page.goto(product.url)
    await page.getByLabel('E-mail').fill(OWNER.email)
    await page.getByLabel('Password').fill(OWNER.password)
    await button('Sign in', page).click()
    await page.getByRole('heading', { name: /Ada/ }).waitFor()
    await page.goto(`${product.url}/s/${id}`)
    await live(page)
    const { hears } = await openListener(world, page, await read(id))
    const row = page.getByRole('toolbar', { name: 'Keys' })
    await picture(page, 'touch-row')
    const press = (name: string) => button(name, row).click()
    for (const [name, heard] of [
      ['Esc', '[esc]'],
      ['Tab', '[tab]'],
      ['←', '[left]'],
      ['↑', '[up]'],
      ['↓', '[down]'],
      ['→', '[right]'],
    ] as const)
      await hears(heard, () => press(name))
    for (const [hold, send, heard] of [
      ['Ctrl', 'Tab', '[ctrl-tab]'],
      ['Alt', '←', '[alt-left]'],
      ['Shift', 'Esc', '[shift-esc]'],
      ['Super', 'Esc', '[super-esc]'],
    ] as const) {
      await press(hold)
      await expect.poll(() => button(hold, row).getAttribute('aria-pressed')).toBe('true')
      await hears(heard, () => press(send))
    }
    await press('Keyboard')
    await hears('grün', () => page.keyboard.type('grün'))
    complaints.push(...heardOf)
  } finally {
    await phone.close()
  }
}
