pub const ES: super::Text = super::en::EN;
