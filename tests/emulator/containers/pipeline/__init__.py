"""The tools of a small genomics pipeline: shell scripts around Debian's bwa, samtools and bcftools, in an image."""
