/** What a template needs and is made of, at the foot of its details. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import { size } from '../format.ts'
import * as m from '../messages/index.ts'
import css from './launch.module.css'

const NETWORK: Record<CatalogEntry['network'], string> = {
  internet: m.networkInternet,
  local: m.networkLocal,
  none: m.networkNone,
}
export const Facts = ({ entry }: { entry: CatalogEntry }) => (
  <dl className={css.facts}>
    <dt>{m.memoryNeeded}</dt>
    <dd>{size(entry.memoryBytes)}</dd>
    <dt>{m.networkLabel}</dt>
    <dd>{NETWORK[entry.network]}</dd>
    <dt>{m.versionLabel}</dt>
    <dd>{entry.version}</dd>
    <dt>{m.licence}</dt>
    <dd>{entry.licence}</dd>
    {entry.docs && (
      <>
        <dt>{m.documentation}</dt>
        <dd>
          <a href={entry.docs} target="_blank" rel="noreferrer noopener">
            {new URL(entry.docs).host}
          </a>
        </dd>
      </>
    )}
  </dl>
)
