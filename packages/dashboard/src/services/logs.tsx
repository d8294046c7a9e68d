/** What the programs of a service printed: searched, copied, taken along. */
import type { Service } from '@kalnet/contracts/service'
import { useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { CopyButton, ErrorBox, LogView, Skeleton } from '../ui/parts.tsx'
import { saveText } from '../ui/save-text.ts'
import { Search } from '../ui/search.tsx'
import { Select } from '../ui/select.tsx'
import { matching } from './facts.ts'
import css from './page.module.css'
import { serviceLogsQuery } from './queries.ts'
import { instanceName } from './words.tsx'

export default function Logs({ service }: { service: Service }) {
  const [instance, setInstance] = useState('')
  const [text, setText] = useState('')
  const { data, error, isPending, refetch } = useQuery(serviceLogsQuery(service.id, instance || undefined))
  const lines = data?.lines ?? []
  const shown = matching(lines, text)
  return (
    <section className={css.section} aria-label={m.serviceLogs}>
      <div className={css.logTools}>
        <div className={css.logSearch}>
          <Search label={m.logsSearch} value={text} onChange={setText} />
        </div>
        {service.instances.length > 1 && (
          <Select
            label={m.logsWhich}
            value={instance}
            options={[
              { value: '', label: m.logsEverything },
              ...service.instances.map((it) => ({ value: it.id, label: instanceName(it) })),
            ]}
            onChange={setInstance}
          />
        )}
      </div>
      {isPending && <Skeleton height="320px" />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data && (
        <>
          <div className={css.logHead}>
            <p className={css.quiet}>{text.trim() ? m.logsFound(shown.length, lines.length) : m.logsAsked}</p>
            <CopyButton text={shown.join('\n')} />
            <Button
              look="plain"
              icon={<Download aria-hidden />}
              onPress={() => saveText(`${service.name}.log`, `${shown.join('\n')}\n`)}
            >
              {m.logsDownload}
            </Button>
          </div>
          {text.trim() && shown.length === 0 ? (
            <p className={css.quiet}>{m.logsNoLine}</p>
          ) : (
            <div className={css.log}>
              <LogView lines={shown} label={m.serviceLogs} />
            </div>
          )}
        </>
      )}
    </section>
  )
}
