/** What opens under the session bar: keys, clipboard, size and picture. */
import { expect } from 'vitest'
import { type Listener, openListener } from './listener.ts'
import { pictureOrders, screenOf } from './screen.ts'
import type { World } from './world.ts'

async function keys({ page, button, use }: World, { hears }: Listener): Promise<void> {
  await use('Keys')
  const panel = page.getByRole('region', { name: 'Keys' })
  await hears('[ctrl-alt-del]', () => button('Ctrl Alt Del', panel).click())
  await hears('[esc]', () => button('Esc', panel).click())
  await hears('[tab]', () => button('Tab', panel).click())
  // Two are called Super: sent once, and held down.
  await hears('[super]', () => button('Super', panel).first().click())
  const held = [
    ['Ctrl', 'Tab', '[ctrl-tab]'],
    ['Alt', 'Super', '[alt-super]'],
    ['Shift', 'Esc', '[shift-esc]'],
    ['Super', 'Esc', '[super-esc]'],
  ] as const
  for (const [hold, send, heard] of held) {
    const modifier = button(hold, panel).last()
    await modifier.click()
    await expect.poll(() => modifier.getAttribute('aria-pressed')).toBe('true')
    await hears(heard, () => button(send, panel).first().click())
    // One key uses it up.
    await expect.poll(() => modifier.getAttribute('aria-pressed')).toBe('false')
  }
  await hears('[esc]', () => button('Esc', panel).click())
  await use('Keys')
  await panel.waitFor({ state: 'detached' })
  await use('Hide the bar')
}

async function clipboard(world: World, { pastes, heard }: Listener): Promise<void> {
  const { page, button, use, copied, notice } = world
  const device = (text: string) => page.evaluate((it) => navigator.clipboard.writeText(it), text)
  const panel = page.getByRole('region', { name: 'Clipboard' })
  const field = panel.getByRole('textbox')
  const toggle = panel.getByRole('switch')
  await use('Clipboard')
  await field.fill('put there by hand')
  await button('Put on the session’s clipboard', panel).click()
  await notice('On the session’s clipboard.')
  await pastes('put there by hand')

  await field.fill('for this device')
  await button('Copy to this device', panel).click()
  await button('Copied', panel).waitFor()
  expect(await copied()).toBe('for this device')

  await panel.getByText('Keep both clipboards the same').click()
  await expect.poll(() => toggle.isChecked()).toBe(false)
  await device('kept apart')
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await pastes('put there by hand')
  expect(await heard()).not.toContain('kept apart')

  await device('the same again')
  await panel.getByText('Keep both clipboards the same').click()
  await expect.poll(() => toggle.isChecked()).toBe(true)
  await expect.poll(() => field.inputValue()).toBe('the same again')
  await pastes('the same again')
  await use('Clipboard')
  await panel.waitFor({ state: 'detached' })
  await use('Hide the bar')
}

async function sizes({ page, use }: World, orders: () => [number, number] | null): Promise<void> {
  const { inside, outside } = screenOf(page)
  const choose = async (name: string) => {
    await page.getByRole('region', { name: 'Size' }).getByText(name, { exact: true }).click()
    await page.getByRole('radio', { name, checked: true }).waitFor()
  }
  await use('Size')
  await choose('Scale picture')
  await page.setViewportSize({ width: 1000, height: 700 })
  await expect.poll(async () => (await outside())[0]).toBeLessThanOrEqual(1000)
  expect(await inside()).toEqual([1440, 900])
  await choose('Actual size')
  await expect.poll(outside).toEqual([1440, 900])
  await choose('Fit to window')
  await expect.poll(inside).toEqual([1000, 700])
  await page.setViewportSize({ width: 1440, height: 900 })
  await expect.poll(inside).toEqual([1440, 900])

  // What the session is asked for: JPEG quality and compression (RFB pseudo-encodings −32…−23 and −256…−247).
  for (const [name, asked] of [
    ['Saving', [2, 8]],
    ['Sharp', [9, 1]],
    ['Balanced', [6, 2]],
  ] as const) {
    await choose(name)
    await expect.poll(orders).toEqual(asked)
  }
  await use('Size')
  await use('Hide the bar')
}

export async function panels(world: World, id: string): Promise<void> {
  const orders = pictureOrders(world.page)
  await world.go(`/s/${id}`)
  await world.live()
  const listener = await openListener(world, world.page, await world.read(id))
  await keys(world, listener)
  await clipboard(world, listener)
  await sizes(world, orders)
}
