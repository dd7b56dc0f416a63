import {
  ActionIcon,
  Badge,
  Button,
  Checkbox,
  Code,
  createTheme,
  Drawer,
  type CSSVariablesResolver,
  Input,
  Menu,
  Modal,
  NumberInput,
  Popover,
  Progress,
  SegmentedControl,
  Select,
  Switch,
  Table,
  Tabs,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core';

type Palette = [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  ...string[],
];

const steps = (list: string): Palette => list.split(' ') as unknown as Palette;

const studio = steps(
  '#eef4ff #dbe6fb #b3cbf5 #88adef #6393ea #4c82e7 #3f7ae7 #2f67cd #1f56b3 #0a4a9f',
);
const palettes = {
  studio,
  blue: studio,
  green: steps('#e9f9ee #d3efdc #a8dfba #78ce95 #51bf76 #37b661 #1f9a49 #157f3b #0f6a30 #075525'),
  red: steps('#ffeaec #fdd4d8 #f4a7ae #ec7781 #e64f5b #e33643 #d02432 #b51a28 #a01522 #8a0c1b'),
  orange: steps('#fff3e2 #ffe6cd #fdcb9b #fbaf64 #fa9737 #f98819 #c96300 #a85200 #8f4600 #753900'),
  yellow: steps('#fff8e1 #ffefcc #ffdd9b #ffca64 #ffba38 #ffb01b #b87800 #8f5d00 #7a4f00 #664200'),
  gray: steps('#f6f7f9 #eef0f3 #e1e4e9 #d2d6dd #b7bdc7 #959ca8 #6c7480 #565d68 #40464f #2a2e35'),
  dark: steps('#d4d7dd #b8bcc4 #949aa5 #6d7380 #3b404b #2f343d #262a32 #1c1f25 #15171c #0f1114'),
};

const small = { size: 'xs' } as const;
const dialog = {
  closeButtonProps: { 'aria-label': 'Close' },
  styles: { title: { minWidth: 0, overflowWrap: 'anywhere' as const } },
  // Its header element would be a second banner of the page.
  attributes: { header: { role: 'presentation' } },
};
const hint = { withArrow: true, openDelay: 400, multiline: true, maw: 420 } as const;

/** Colours, type and density of the window: 13 px text, 28 px controls and rows, radius 4. */
export const theme = createTheme({
  colors: palettes,
  primaryColor: 'studio',
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  luminanceThreshold: 0.18,
  defaultRadius: 4,
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  fontFamily: 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '15px', xl: '18px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.45', lg: '1.4', xl: '1.3' },
  spacing: { xs: '6px', sm: '10px', md: '14px', lg: '20px', xl: '28px' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '20px', lineHeight: '28px' },
      h2: { fontSize: '16px', lineHeight: '24px' },
      h3: { fontSize: '14px', lineHeight: '20px' },
      h4: { fontSize: '13px', lineHeight: '20px' },
    },
  },
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { size: 28, variant: 'subtle', color: 'gray' } }),
    Badge: Badge.extend({ defaultProps: { size: 'sm', variant: 'light', tt: 'none' } }),
    Button: Button.extend({
      defaultProps: small,
      vars: (_theme, props) =>
        props.size === 'xs'
          ? { root: { '--button-height': '28px', '--button-fz': '13px' } }
          : { root: {} },
    }),
    Checkbox: Checkbox.extend({ defaultProps: small }),
    Code: Code.extend({ defaultProps: { fz: 12 } }),
    Input: Input.extend({
      defaultProps: small,
      vars: (_theme, props) =>
        props.size === 'xs'
          ? { wrapper: { '--input-height': '28px', '--input-fz': '13px' } }
          : { wrapper: {} },
    }),
    InputWrapper: Input.Wrapper.extend({ defaultProps: small }),
    Menu: Menu.extend({ defaultProps: { shadow: 'md' } }),
    Drawer: Drawer.extend({ defaultProps: dialog }),
    Modal: Modal.extend({ defaultProps: dialog }),
    NumberInput: NumberInput.extend({ defaultProps: small }),
    Popover: Popover.extend({ defaultProps: { shadow: 'md' } }),
    Progress: Progress.extend({ defaultProps: { size: 6 } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: small }),
    Select: Select.extend({ defaultProps: { ...small, checkIconPosition: 'right' } }),
    Switch: Switch.extend({ defaultProps: small }),
    Table: Table.extend({ defaultProps: { fz: 13, verticalSpacing: 4, horizontalSpacing: 10 } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    TagsInput: TagsInput.extend({ defaultProps: small }),
    Text: Text.extend({ defaultProps: { size: 'sm' } }),
    Textarea: Textarea.extend({ defaultProps: small }),
    TextInput: TextInput.extend({ defaultProps: small }),
    Tooltip: Tooltip.extend({ defaultProps: hint }),
  },
});

const toned = ['studio', 'blue', 'green', 'red', 'orange', 'yellow'] as const;

/** Tints of badges and quiet buttons in dark, where the library's own are nearly black. */
const darkTints = Object.fromEntries(
  [...toned, 'gray' as const].map((color) => [
    `--mantine-color-${color}-light`,
    `color-mix(in srgb, ${palettes[color][5]} 22%, transparent)`,
  ]),
);

function tones(lightText: number, text: number): Record<string, string> {
  return Object.fromEntries(
    toned.flatMap((color) => [
      [`--mantine-color-${color}-light-color`, palettes[color][lightText] ?? ''],
      [`--mantine-color-${color}-text`, palettes[color][text] ?? ''],
      [`--mantine-color-${color}-outline`, palettes[color][text] ?? ''],
    ]),
  );
}

/** Text colours with the contrast of WCAG AA on every surface, where the library's own fall short. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#545b62',
    '--mantine-color-placeholder': '#667079',
    '--mantine-color-error': '#b51a28',
    '--mantine-color-anchor': '#1f56b3',
    ...tones(9, 8),
    '--mantine-color-gray-light-color': palettes.gray[8],
    '--mantine-color-gray-text': palettes.gray[8],
    '--mantine-color-gray-outline': palettes.gray[7],
    '--slipway-rail': palettes.gray[1],
    '--slipway-bar': palettes.gray[0],
    '--slipway-line': palettes.gray[2],
    '--slipway-row-hover': palettes.gray[0],
    '--slipway-row-active': palettes.studio[0],
    '--slipway-memory-used': palettes.studio[7],
    '--slipway-memory-conflict': palettes.red[7],
    '--slipway-diff-changed': palettes.orange[1],
    '--slipway-diff-added': palettes.green[1],
    '--slipway-diff-removed': palettes.red[1],
    '--slipway-diff-density': palettes.orange[7],
  },
  dark: {
    '--mantine-color-dimmed': '#a6a7ab',
    '--mantine-color-placeholder': '#9a9ba0',
    '--mantine-color-error': '#f4a7ae',
    '--mantine-color-anchor': '#88adef',
    ...tones(2, 3),
    ...darkTints,
    '--mantine-color-gray-light-color': palettes.gray[3],
    '--mantine-color-gray-text': palettes.gray[3],
    '--mantine-color-gray-outline': palettes.gray[4],
    '--slipway-rail': palettes.dark[8],
    '--slipway-bar': '#191b21',
    '--slipway-line': '#2d313a',
    '--slipway-row-hover': '#23272f',
    '--slipway-row-active': '#1f2d4a',
    '--slipway-memory-used': palettes.studio[5],
    '--slipway-memory-conflict': palettes.red[6],
    '--slipway-diff-changed': '#5a3a12',
    '--slipway-diff-added': '#134524',
    '--slipway-diff-removed': '#5c1b22',
    '--slipway-diff-density': palettes.orange[4],
  },
});
