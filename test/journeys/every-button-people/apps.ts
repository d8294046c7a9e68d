/** Apps that sign people in: connected, shaped, given a new secret, taken back, disconnected. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { appRoutes } from '@kalnet/contracts/app'
import { expect } from 'vitest'
import { pictures } from '../every-button/world.ts'
import { asking } from './consent.ts'
import type { Household } from './household.ts'

/** Something that people are sent back to. */
async function somewhere() {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<title>Photos</title><main>Photos</main>'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/back`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

export async function apps(house: Household): Promise<void> {
  const { page, client, dialog, button, go, leave, choices, pick, copyAll, menu, notice } = house
  const place = await somewhere()
  const known = async () => (await client.call(appRoutes.list)).items
  await go('/settings/apps')
  const connect = () => button('Connect an app').click()
  await leave('Connect an app', connect)
  await connect()
  const box = dialog('Connect an app')
  await box.getByRole('checkbox', { name: 'Kids' }).waitFor()
  await choices(box)
  await pick(box, /^Another app/)
  await box.getByRole('switch', { name: /keeps no secret/ }).click({ force: true })
  await box.getByRole('switch', { name: /keeps no secret/ }).click({ force: true })
  await pick(box, /^Another app/)
  await box.getByLabel('Name', { exact: true }).fill('Photos')
  await box.getByLabel('Return address').fill(place.address)
  await button('Connect', box).click()
  const made = dialog('Photos is connected')
  await made.waitFor()
  await copyAll(made)
  await button('Close', made).last().click()
  expect(await known()).toMatchObject([{ name: 'Photos', trusted: false, redirectUris: [place.address] }])
  await button('Copy').click()
  await button('Copied').waitFor()
  expect(await house.copied()).toBe(`${house.product.url}/oidc`)
  await pictures(page, 'apps')

  const actions = 'Actions for Photos'
  await leave('Photos', () => menu(actions, 'Who may use it…'))
  await menu(actions, 'Who may use it…')
  await dialog('Photos').getByRole('checkbox', { name: 'Kids' }).waitFor()
  await choices(dialog('Photos'))
  await dialog('Photos')
    .getByRole('checkbox', { name: /^Parent/ })
    .click({ force: true })
  await button('Save', dialog('Photos')).click()
  await notice('Saved.')
  expect((await known())[0]?.allowed.roles).toEqual(['owner'])
  await leave('Make a new secret?', () => menu(actions, 'New secret…'))
  await menu(actions, 'New secret…')
  await button('Make a new secret', dialog('Make a new secret?')).click()
  await dialog('Photos').getByText('Client secret').waitFor()
  await copyAll(dialog('Photos'))
  await button('Close', dialog('Photos')).last().click()
  await leave('Disconnect Photos?', () => menu(actions, 'Disconnect…'))

  await asking(house, (await known())[0]?.clientId ?? '', place.address)

  await go('/settings')
  await button('Take back: Photos').click()
  await notice('Photos does not know you any more.')
  expect((await client.call(appRoutes.mine)).items).toEqual([])
  await go('/settings/apps')
  await menu(actions, 'Disconnect…')
  await button('Disconnect', dialog('Disconnect Photos?')).click()
  await notice('Photos is disconnected.')
  expect(await known()).toEqual([])
  place.stop()
}
