/** `kalnet controllers list|show|enrol|cordon|uncordon|drain|label|rotate|revoke` and `kalnet controller`: machines that run sessions. */
import { controllerRoutes } from '@kalnet/contracts/controller'
import type { AddCommand } from '../context.ts'
import { size, table } from '../output.ts'
import { addChanges, findController, labelWords } from './controllers-change.ts'
import { addEnrol } from './controllers-enrol.ts'
import { addShow } from './controllers-show.ts'

export const addControllers: AddCommand = (program, context) => {
  const controllers = program.command('controllers').description('the machines that run sessions')
  controllers
    .command('list')
    .description('every enrolled machine')
    .action(async () => {
      const { api, output } = context()
      const { items } = await api.call(controllerRoutes.list, { query: { limit: 200 } })
      const rows = items.map((one) => [
        one.name,
        one.cordoned ? `${one.state}, takes nothing new` : one.state,
        one.fingerprints
          .map((it) => (it.usable ? `${it.platform} (${it.isolation})` : `${it.platform}: ${it.detail}`))
          .join(', '),
        one.capacity ? `${one.capacity.cpus} cores, ${size(one.capacity.memoryFreeBytes)} free` : '–',
        String(one.instances),
        labelWords(one.labels),
        one.id,
      ])
      output.result(
        rows.length === 0
          ? 'No controller is enrolled.'
          : table(['name', 'state', 'platforms', 'machine', 'instances', 'labels', 'id'], rows),
        { items },
      )
    })
  addEnrol(controllers, context)
  addShow(controllers, context)
  addChanges(controllers, context)
  controllers
    .command('rotate')
    .description('give a connected machine a new key: the old one opens nothing any more')
    .argument('<controller>', 'its name, its id, or either end of the id')
    .addHelpText(
      'after',
      `
The machine makes the new key itself, and it never leaves it. Sessions there and its connection go on.
If it answers that the machine is not connected, ask again when it is: asking twice does no harm.

Examples:
  kalnet controllers rotate attic                          somebody may have read that machine's disk`,
    )
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = await findController(it, wanted)
      await it.api.call(controllerRoutes.rotate, { params: { id }, body: {} })
      it.output.result(`${name} has a new key.`, { id })
    })
  controllers
    .command('revoke')
    .description('its key stops working at once')
    .argument('<controller>', 'its name, its id, or either end of the id')
    .action(async (wanted: string) => {
      const it = context()
      const { api, output } = it
      const { id } = await findController(it, wanted)
      await api.call(controllerRoutes.revoke, { params: { id } })
      output.result('Revoked.', { id })
    })
}
