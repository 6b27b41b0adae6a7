"""What a source of metadata holds, gathered record by record."""

from dataclasses import dataclass, field

from pipeline.isic.names import checked
from pipeline.isic.row import Format, Record, Row


@dataclass
class Reading:
    """What a source holds."""

    formats: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)  # a record's name and what is wrong with it
    ignored_files: int = 0  # files of the folder that are no records by their name
    leaks: list[str] = field(default_factory=list)  # columns that tell the label and are not read
    joined: dict[str, int] = field(default_factory=dict)  # what became of the rows of tables without labels

    @property
    def records(self) -> int:
        return len(self.rows) + len(self.unreadable)

    def extend(self, other: "Reading") -> None:
        """Adds what files of JSON records hold that were read apart from these."""
        self.formats |= other.formats
        self.rows += other.rows
        self.unreadable += other.unreadable

    def add(self, origin: str, record: Record, known: Format) -> None:
        """Reads one record, or notes that it cannot be.

        Raises:
            InputError: if the file that it names might lie outside the images.
        """
        try:
            row = known.row(record)
        except ValueError as error:
            self.unreadable.append(f"{origin}: {error}")
        else:
            self.rows.append(checked(row, origin)._replace(origin=origin))
