/** What a template is, what it asks, and where it shall run. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import { BadgeCheck, Play } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import * as m from '../messages/index.ts'
import { useLaunch } from '../sessions/actions.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Facts } from './facts.tsx'
import css from './launch.module.css'
import { begin, finish, missing, Questions } from './questions.tsx'
import { type Place, Where } from './where.tsx'

export default function Details({ entry, onClose }: { entry: CatalogEntry; onClose: () => void }) {
  const launch = useLaunch()
  const [name, setName] = useState('')
  const [platform, setPlatform] = useState<Place>('auto')
  const [given, setGiven] = useState(() => begin(entry.inputs))
  const [tried, setTried] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (missing(entry.inputs, given)) return
    launch.mutate({
      templateId: entry.id,
      name: name.trim() || undefined,
      platform: platform === 'auto' ? undefined : platform,
      answers: finish(entry.inputs, given),
    })
  }
  return (
    <Dialog title={entry.name} onClose={onClose} place="side">
      <div className={css.title}>
        <img src={entry.icon} alt="" width="64" height="64" />
        {entry.proved ? (
          <Badge tone="good" icon={<BadgeCheck aria-hidden />}>
            {m.proved}
          </Badge>
        ) : (
          <Badge tone="quiet">{m.notProved}</Badge>
        )}
      </div>
      <p className={css.text}>{entry.description || entry.summary}</p>
      {entry.deprecated && <Badge tone="warn">{entry.deprecated}</Badge>}
      <form className={css.form} onSubmit={submit} noValidate>
        <Questions inputs={entry.inputs} given={given} tried={tried} onChange={setGiven} />
        <Field
          label={m.sessionName}
          help={m.sessionNameHelp}
          placeholder={entry.name}
          maxLength={60}
          value={name}
          onChange={setName}
        />
        <Where entry={entry} value={platform} onChange={setPlatform} />
        <Button type="submit" look="primary" wide isPending={launch.isPending} icon={<Play aria-hidden />}>
          {m.start}
        </Button>
      </form>
      <Facts entry={entry} />
    </Dialog>
  )
}
