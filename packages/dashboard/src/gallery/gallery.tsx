/** `/_ui`, in development only: every widget in every state, to be looked at in both looks. */
import { Info, Play, Plus, Server } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { ApiProblem } from '../api.ts'
import { StagesLine } from '../sessions/stages-line.tsx'
import { StateBadge } from '../sessions/words.tsx'
import { useTitle } from '../shell/use-title.ts'
import { Badge } from '../ui/badge.tsx'
import { Button, type ButtonLook, IconButton, LinkButton } from '../ui/button.tsx'
import { Choice, Switch } from '../ui/choice.tsx'
import { Confirm, Dialog, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Menu } from '../ui/menu.tsx'
import { Card, CopyButton, Empty, ErrorBox, Key, LogView, Skeleton } from '../ui/parts.tsx'
import { Meter, Progress } from '../ui/progress.tsx'
import { Search } from '../ui/search.tsx'
import { toast } from '../ui/toast.ts'
import css from './gallery.module.css'
import * as words from './words.ts'

const LOOKS: ButtonLook[] = ['primary', 'soft', 'plain', 'danger']
const STATES = [
  'pending',
  'starting',
  'running',
  'hibernating',
  'hibernated',
  'waking',
  'stopping',
  'stopped',
  'failed',
] as const
const NONE = {
  accepted: null,
  placed: null,
  created: null,
  displayReady: null,
  firstByte: null,
  firstFrame: null,
}
const at = (ms: number) => new Date(Date.UTC(2026, 10, 21) + ms).toISOString()
const SOME = { ...NONE, accepted: at(0), placed: at(14), created: at(300) }
const ALL = { ...SOME, displayReady: at(690), firstByte: at(720), firstFrame: at(1_240) }
const PROBLEM = new ApiProblem({
  code: words.problemCode,
  message: words.problem,
  next: words.problemNext,
  status: 503,
  requestId: '7f3a9c',
})
const nothing = () => undefined

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <section className={css.part}>
    <h2>{title}</h2>
    <div className={css.row}>{children}</div>
  </section>
)

function Buttons() {
  return (
    <Part title={words.buttons}>
      {LOOKS.map((look) => (
        <div key={look} className={css.row}>
          <Button look={look} icon={<Plus aria-hidden />}>
            {look}
          </Button>
          <Button look={look} isPending>
            {look}
          </Button>
          <Button look={look} isDisabled>
            {look}
          </Button>
          <IconButton look={look} label={look}>
            <Info aria-hidden />
          </IconButton>
        </div>
      ))}
      <LinkButton href="/_ui" look="primary" icon={<Play aria-hidden />}>
        {words.link}
      </LinkButton>
      <CopyButton text={words.link} />
      <Menu
        label={words.menu}
        trigger={<Button>{words.menu}</Button>}
        actions={[
          { id: 'one', label: words.one, icon: <Play aria-hidden />, onAction: nothing },
          { id: 'two', label: words.two, hint: words.hint, onAction: nothing },
          { id: 'three', label: words.three, disabled: true, onAction: nothing },
          { id: 'four', label: words.four, danger: true, onAction: nothing },
        ]}
      />
      <Key>{words.key}</Key>
    </Part>
  )
}

function Fields() {
  const [text, setText] = useState('')
  const [choice, setChoice] = useState<'one' | 'two'>('one')
  const [on, setOn] = useState(true)
  return (
    <Part title={words.fields}>
      <Field label={words.label} placeholder={words.placeholder} help={words.help} />
      <Field label={words.filled} defaultValue={words.long} />
      <Field label={words.wrong} problem={words.wrongText} defaultValue="x" />
      <Field label={words.off} isDisabled defaultValue={words.one} />
      <Field label={words.lines} lines defaultValue={words.long} />
      <Search label={words.search} value={text} onChange={setText} />
      <Choice
        label={words.choice}
        value={choice}
        options={[
          { value: 'one', label: words.one },
          { value: 'two', label: words.two },
        ]}
        onChange={setChoice}
      />
      <Switch label={words.switchOn} value={on} onChange={setOn} />
      <Switch label={words.switchOff} value={!on} onChange={(next) => setOn(!next)} />
    </Part>
  )
}

function States() {
  return (
    <Part title={words.states}>
      {(['good', 'warn', 'bad', 'info', 'quiet', 'busy'] as const).map((tone) => (
        <Badge key={tone} tone={tone}>
          {tone}
        </Badge>
      ))}
      {STATES.map((state) => (
        <StateBadge key={state} session={{ state, reachable: true, controllerId: null }} />
      ))}
      <StateBadge session={{ state: 'running', reachable: false, controllerId: 'x' }} />
      <div className={css.wide}>
        <Progress label={words.progress} share={0.4} />
        <Progress label={words.progressUnknown} share={null} />
        <Meter label={words.meter} share={0.42} text="42 %" />
        <Meter label={words.meterHigh} share={0.93} text="93 %" />
      </div>
      <div className={css.wide}>
        <StagesLine stages={NONE} going />
        <StagesLine stages={SOME} going />
        <StagesLine stages={ALL} going={false} />
      </div>
    </Part>
  )
}

export default function Gallery() {
  useTitle(words.title)
  const [open, setOpen] = useState<'dialog' | 'side' | 'confirm' | null>(null)
  return (
    <main className={css.page}>
      <h1>{words.title}</h1>
      <Buttons />
      <Fields />
      <States />
      <Part title={words.boxes}>
        <Card label={words.card}>{words.long}</Card>
        <div className={css.wide}>
          <Skeleton width="60%" height="20px" />
          <Skeleton height="60px" />
        </div>
        <div className={css.wide}>
          <ErrorBox problem={PROBLEM} retry={nothing} />
          <ErrorBox problem={new Error('x')} />
        </div>
        <Empty
          icon={<Server aria-hidden />}
          title={words.empty}
          text={words.long}
          next={<Button look="primary">{words.one}</Button>}
        />
        <div className={css.wide}>
          <LogView lines={[words.long, words.one, words.two]} label={words.log} />
          <LogView lines={[]} label={words.logEmpty} />
        </div>
      </Part>
      <Part title={words.floating}>
        <Button onPress={() => setOpen('dialog')}>{words.dialog}</Button>
        <Button onPress={() => setOpen('side')}>{words.side}</Button>
        <Button onPress={() => setOpen('confirm')}>{words.confirm}</Button>
        <Button onPress={() => toast({ tone: 'good', text: words.one, more: words.long })}>
          {words.toastGood}
        </Button>
        <Button onPress={() => toast({ tone: 'bad', text: words.problem, more: words.problemNext })}>
          {words.toastBad}
        </Button>
      </Part>
      {open === 'confirm' && (
        <Confirm
          title={words.confirm}
          text={words.long}
          action={words.one}
          pending={false}
          onConfirm={() => setOpen(null)}
          onClose={() => setOpen(null)}
        />
      )}
      {(open === 'dialog' || open === 'side') && (
        <Dialog
          title={words.dialog}
          place={open === 'side' ? 'side' : 'middle'}
          onClose={() => setOpen(null)}
        >
          <DialogText>{words.long}</DialogText>
        </Dialog>
      )}
    </main>
  )
}
