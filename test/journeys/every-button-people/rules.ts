/** Sign-in rules: every choice of every role; one is changed, and what it asks for meets a person at the door. */
import { type SignInPolicyOf, signInRoutes } from '@kalnet/contracts/sign-in'
import { expect } from 'vitest'
import { pictures } from '../every-button/world.ts'
import type { Household } from './household.ts'

const policyOf = async ({ client }: Household, role: SignInPolicyOf['role']) =>
  (await client.call(signInRoutes.policies)).items.find((it) => it.role === role)

export async function setSecond(house: Household, title: string, wanted: boolean): Promise<void> {
  const { page, button, go, notice } = house
  await go('/settings/sign-in-rules')
  const card = page.getByRole('group', { name: title }).or(page.getByRole('region', { name: title }))
  const second = card.getByRole('switch')
  if ((await second.isChecked()) !== wanted) await second.click({ force: true })
  await button('Save', card).click()
  await notice(`The rule for ${title} is saved.`)
}

export async function rules(house: Household): Promise<void> {
  const { page, button, go, choices } = house
  await go('/settings/sign-in-rules')
  await page.getByRole('switch').first().waitFor()
  const before = await house.client.call(signInRoutes.policies)
  await choices(page.getByRole('main'))
  await pictures(page, 'sign-in-rules')
  for (const cancel of await button('Cancel').all())
    await button('Cancel')
      .first()
      .click()
      .then(() => cancel)
  expect(await button('Cancel').count()).toBe(0)
  expect(await house.client.call(signInRoutes.policies)).toEqual(before)
  await setSecond(house, 'Guests', true)
  expect(await policyOf(house, 'guest')).toMatchObject({ assurance: 2 })
  await setSecond(house, 'Guests', false)
  expect(await policyOf(house, 'guest')).toMatchObject({ assurance: 1 })
}
