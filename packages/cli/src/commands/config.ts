/** `kalnet config example|check`: the configuration file explained, and looked over before it is used. */
import { readIfThere } from '@kalnet/io/files'
import { configExample, configSchema } from '../config-example.ts'
import type { AddCommand } from '../context.ts'
import { configFile, readConfig } from '../settings.ts'

export const addConfig: AddCommand = (program, context) => {
  const config = program.command('config').description('the configuration file')
  config
    .command('example')
    .description('print a commented kalnet.yaml with every key and its default')
    .action(() => {
      const text = configExample()
      context().output.result(text.trimEnd(), { yaml: text })
    })
  config
    .command('schema')
    .description('print the JSON Schema of kalnet.yaml, for editors')
    .action(() => {
      const schema = configSchema()
      context().output.result(JSON.stringify(schema, null, 2), schema)
    })
  config
    .command('check')
    .description('is it valid, and what does it come to with the environment')
    .action(async () => {
      const { folders, env, output } = context()
      const file = configFile(folders)
      const there = (await readIfThere(file)) !== null
      const settings = await readConfig({ folders, env, flags: {} })
      const shown = {
        ...settings,
        database: { ...settings.database, url: settings.database.url ? '[set]' : undefined },
        gateway: { ...settings.gateway, key: settings.gateway.key ? '[set]' : undefined },
        mail: { ...settings.mail, smtpUrl: settings.mail.smtpUrl ? '[set]' : undefined },
      }
      output.result(
        [
          there ? `${file} is valid.` : `There is no ${file}: the defaults are used.`,
          '',
          JSON.stringify(shown, null, 2),
        ],
        { file, there, settings: shown },
      )
    })
}
